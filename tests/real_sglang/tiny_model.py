"""Makes a language model of 205,000 random parameters. Run with the server environment's Python: FOLDER.

It says nothing that makes sense; the server around it is the real one.
"""
# mypy: disable-error-code="import-not-found"

import sys

import torch

# As in adapters/sglang/cpu/serve_cpu.py: transformers imports torchvision, whose CUDA build wants these declared.
VISION = torch.library.Library("torchvision", "DEF")
for operator in ("nms", "qnms"):
    VISION.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM  # noqa: E402

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]   # <|im_end|> is 2: end of turn
CORPUS = [
    "Where is the runbook for the mail queue? It is in the handbook, under operations.",
    "How much notice is needed before annual leave? Two weeks, says the handbook.",
    "Who is on call this week? Ask in the channel of the platform team.",
    "Please answer from the passages, and mark each statement with its number.",
]
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def main(folder: str) -> None:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=1000, special_tokens=SPECIALS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    Qwen3ForCausalLM(Qwen3Config(
        vocab_size=1024, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=8192, eos_token_id=2, pad_token_id=0,
        tie_word_embeddings=False,
    )).to(torch.bfloat16).save_pretrained(folder)


main(sys.argv[1])
