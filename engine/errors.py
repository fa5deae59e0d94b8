"""Everything that can go wrong, by what happens next.

BotError                     the person gets a sentence, the turn ends
├── Refused                  a guard said no; carries that guard's own sentence
├── Deflected                every model we may ask answered with a stock script
├── MessageTooLong           the person can shorten it
├── EmptyMessage             there is nothing to answer
├── NothingSaid          there is nothing to summarise
├── PromptTooLong            even without history the question does not fit the model
├── BadEvent                 a platform sent something that cannot be stored
├── Fenced                   another worker owns this turn now; say nothing more
└── Unavailable              worth another attempt
    ├── ModelUnavailable     nothing was shown yet; quote mode can answer
    ├── ModelBroken          it broke off in the middle, or spoke nonsense
    ├── RetrieverUnavailable
    │   └── StillReading
    ├── PassageWithdrawn     rights went while the answer was written; it is written anew without that page
    ├── MembershipUnavailable    who may read what is not known, so nothing is shown
    ├── FileUnavailable      what came with a message cannot be fetched; the answer says so and goes on
    ├── StoreUnavailable     do not acknowledge: the platform will redeliver
    └── PlatformUnavailable

Adapters raise these ``from`` their library's own; ``reply`` is what a person may read, ``str(error)``
what an operator reads. ``str(error)`` never holds the text of a message.
"""

from __future__ import annotations


class BotError(Exception):
    """The root: a sentence for the person, a cause for the operator."""

    reply = "Something broke on my side. I have noted it."


class Refused(BotError):
    """A guard said no."""

    def __init__(self, reason: str, reply: str) -> None:
        super().__init__(reason)
        self.reply = reply


class Deflected(BotError):
    """Every model that may be asked gave a stock script instead of an answer."""

    reply = "I could not get a useful answer from the models that I may ask about this."

    def __init__(self, reason: str, reply: str = "") -> None:
        """``reply``: the company's own sentence, where its policy has one."""
        super().__init__(reason)
        self.reply = reply or type(self).reply


class MessageTooLong(BotError):
    """The message is over the limit of what is read at once."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(f"message of {length} characters, limit {limit}")
        self.reply = (
            f"Your message has {length:,} characters; I read up to {limit:,} at a time. "
            "Please shorten it, or send the part that matters."
        )


class EmptyMessage(BotError):
    """Nothing but white space."""

    reply = "Your message arrived empty. What would you like to know?"


class NothingSaid(BotError):
    """A summary of what was not heard, or of what who asked may not read."""

    reply = (
        "I know of nothing that was said there and that you may read. I hear only what is said in channels that I am a "
        "member of."
    )


class PromptTooLong(BotError):
    """The question alone is over the model's context."""

    reply = "This is too long for the language model. Please shorten your question."


class BadEvent(BotError):
    """A platform's event that cannot be stored; ``str`` says which field and why."""

    reply = "I could not read that message."


class Fenced(BotError):
    """Another worker took this turn over, or it was withdrawn: this attempt must fall silent."""


class Unavailable(BotError):
    """Something outside is away; another attempt may succeed."""

    reply = "A part of me is not reachable right now."


class ModelUnavailable(Unavailable):
    """No answer could be started."""

    reply = "The language model is not reachable right now. Please try again in a few minutes."


class ModelBroken(Unavailable):
    """The model broke off in the middle of an answer, or sent what is not an answer."""

    reply = "The language model broke off in the middle of the answer. Please try again in a few minutes."


class RetrieverUnavailable(Unavailable):
    """The index cannot be searched."""

    reply = "I cannot search the documents right now. Please try again in a few minutes."


class StillReading(RetrieverUnavailable):
    """There is nothing to search yet."""

    reply = "I am still reading my pages for the first time. Please ask again in a few minutes."


class PassageWithdrawn(Unavailable):
    """A page behind an answer was deleted, or closed to somebody here, before the answer was whole."""

    reply = "A page that my answer came from was withdrawn while I wrote it. Please ask again."


class MembershipUnavailable(Unavailable):
    """It cannot be said who is in the room, or which groups they are in."""

    reply = "I cannot find out right now who may read what. Please try again in a few minutes."


class FileUnavailable(Unavailable):
    """A file that came with a message is gone, closed to us or too large; ``str`` is a predicate without the name."""

    reply = "I could not read a file of yours."


class StoreUnavailable(Unavailable):
    """The database is locked, full or away."""

    reply = "I could not store your message, so I will not answer it. Please try again in a few minutes."


class PlatformUnavailable(Unavailable):
    """The chat platform did not take what we wanted to show."""
