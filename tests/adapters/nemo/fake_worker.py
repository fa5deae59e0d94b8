"""A worker without NeMo, whose rails are words in the text: FOLDER. The folder's file ``mode`` makes it misbehave."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def tell(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


mode = (Path(sys.argv[1]) / "mode").read_text()
if mode == "unloadable":
    tell({"ready": False, "cause": "ValueError"})
    sys.exit()
if mode == "mute":
    time.sleep(60)
tell({"ready": True, "in": True, "out": mode != "inbound only"})
for line in sys.stdin:
    asked = json.loads(line)
    text = asked["text"]
    answer = {"id": asked["id"], "status": "passed", "text": text, "rail": ""}
    if "die" in text:
        os._exit(1)
    if "babble" in text:
        print("Hello from a library!", flush=True)
    if "hang" in text:
        continue
    if "break" in text:
        answer |= {"status": "error", "text": "", "rail": "KeyError"}
    elif "forbidden" in text + asked["question"]:
        answer |= {"status": "blocked", "text": "I cannot.", "rail": "regex check"}
    elif "secret" in text:
        answer |= {"status": "modified", "text": text.replace("secret", "******")}
    elif "home" in text:        # what its environment says
        answer |= {"status": "modified", "text": os.environ["DO_NOT_TRACK"]}
    tell(answer)
