"""What a person types: lines to edit, colours, history and completion.

What belongs here: the terminal. What does not: what is done with what was typed (``loop``).
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer

from pipelines.shell.language import Language

_WORD: Final = re.compile(r"[\w.\"]*$")
_DOTTED: Final = re.compile(r"\.\w*$")
_MOST: Final = 200


class Prompt:
    """Reads what a person asks in a language, one whole text at a time.

    ``history`` is the file that it is kept in, for its owner alone, and None keeps it for the
    session only.
    """

    def __init__(self, language: Language, dots: tuple[str, ...], history: Path | None) -> None:
        self._language = language
        self._session: PromptSession[str] = PromptSession(
            message="huntlake> ",
            prompt_continuation=lambda width, *_: f"{'...> ':>{width}}",
            multiline=True,
            key_bindings=_enter(language),
            lexer=PygmentsLexer(language.lexer),
            history=kept_in(history),
            completer=_LanguageCompleter(language, dots),
            complete_while_typing=False,
            auto_suggest=AutoSuggestFromHistory(),
        )

    def read(self) -> str:
        """The next text. Raises ``KeyboardInterrupt`` at Ctrl-C, and ``EOFError`` at Ctrl-D."""
        return self._session.prompt()


def kept_in(path: Path | None) -> History:
    """A history that only its owner may read: queries name people and machines.

    Where the file can't be had so, the history is of the session.
    """
    if path is None or not path.is_absolute():
        return InMemoryHistory()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600)
        try:
            if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
                os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError:
        return InMemoryHistory()
    return FileHistory(path)


def is_ready(language: Language, text: str) -> bool:
    """Whether Enter runs what is typed, or begins another line of it."""
    return not text.strip() or text.lstrip().startswith(".") or language.is_whole(text)


def _enter(language: Language) -> KeyBindings:
    bindings = KeyBindings()

    @Condition
    def is_whole() -> bool:
        from prompt_toolkit.application import get_app

        document = get_app().current_buffer.document
        return document.is_cursor_at_the_end and is_ready(language, document.text)

    @bindings.add("enter", filter=is_whole)
    def run(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    return bindings


class _LanguageCompleter(Completer):
    def __init__(self, language: Language, dots: tuple[str, ...]) -> None:
        self._language = language
        self._dots = dots

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        del complete_event
        before = document.text_before_cursor
        if _DOTTED.fullmatch(before):
            for dot in self._dots:
                if dot.startswith(before):
                    yield Completion(dot, -len(before))
            return
        match = _WORD.search(before)
        begun = match[0] if match else ""
        folded, shown = begun.casefold(), 0
        for word in self._language.words(before):
            if word.text.casefold().startswith(folded) and shown < _MOST:
                shown += 1
                # A keyword goes on in the case that it was begun in.
                lower = word.kind == "keyword" and begun != begun.upper()
                text = word.text.lower() if lower else word.text
                yield Completion(text, -len(begun), display_meta=word.kind)
