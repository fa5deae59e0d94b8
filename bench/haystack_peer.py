"""The Haystack half of `bench/side_by_side.py`: runs in an environment of its own, reads a world and its questions."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import haystack
from haystack import Document
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

CANDIDATES = 100
SOME = 15                       # questions; each takes a good part of a second

world = json.loads(Path(sys.argv[1]).read_text())
store = InMemoryDocumentStore(embedding_similarity_function="cosine")
began = time.perf_counter()
store.write_documents([
    Document(id=each["id"], content=each["text"], embedding=each["vector"], meta={"acl": each["acl"]})
    for each in world["documents"]
])
wrote = time.perf_counter() - began
words = InMemoryBM25Retriever(store, top_k=CANDIDATES)
meaning = InMemoryEmbeddingRetriever(store, top_k=CANDIDATES)
joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=6)
took = []
for question in world["questions"][:SOME]:
    began = time.perf_counter()
    allowed = {"field": "meta.acl", "operator": "in", "value": question["allowed"]}
    found = [
        words.run(query=question["text"], filters=allowed)["documents"],
        meaning.run(query_embedding=question["vector"], filters=allowed)["documents"],
    ]
    joiner.run(documents=found)
    took.append(time.perf_counter() - began)
print(json.dumps({"version": haystack.__version__, "wrote": wrote, "took": took}))
