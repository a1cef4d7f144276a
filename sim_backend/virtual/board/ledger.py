"""Keep what a board did for whom: the books by which a request is executed once."""

import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import final

from rramlab.board_protocol.frame import Request
from rramlab.board_protocol.settling import SettleReply, SettleRequest
from rramlab.board_protocol.words import Outcome, Status

SESSIONS = 8
"""Sessions that a board remembers."""


@final
@dataclass
class Account:
    """Hold one session: the last request taken, its answer, and the id up to which all is over.

    `executed` counts the pulses of the last request that were begun; `body` is None where the answer is not
    kept; `ended` tells whether the end of the last request was reached.
    """

    last: int = 0
    floor: int = 0
    digest: int = 0
    status: Status = Status.OK
    executed: int = 0
    body: bytes | None = None
    ended: bool = True
    over: bool = False


@final
class Ledger:
    """Hold the accounts of the last sessions; with `backup` they survive a reset, but for the answers.

    A session is known by its boot id and its number; `current` is 0 before the first one of a boot.
    """

    def __init__(self, backup: bool) -> None:
        self.backup = backup
        self.pulse_total = 0
        self.boot = 0
        self.current = 0
        self._accounts: OrderedDict[tuple[int, int], Account] = OrderedDict()

    @property
    def account(self) -> Account:
        """Return the account of the current session; an empty one where there is none."""
        return self._accounts.get((self.boot, self.current), Account())

    def is_over(self, session: int) -> bool:
        """Tell whether a session of this boot was ended by another one."""
        found = self._accounts.get((self.boot, session))
        return found is not None and found.over

    def open(self, session: int) -> None:
        """Begin a new session; the one before is over."""
        self.account.over = True
        self.current = session
        self._accounts[self.boot, session] = Account()
        while len(self._accounts) > SESSIONS:
            self._accounts.popitem(last=False)

    def take(self, request: Request) -> None:
        """Note that a request is taken, before anything of it is done."""
        account = self.account
        account.last = account.floor = request.request
        account.digest, account.body = digest(request), None
        account.status, account.executed, account.ended = Status.STOPPED, 0, False

    def begun(self, pulses: int) -> None:
        """Note, before the edge of its last one, how many pulses of the request are begun."""
        self.account.executed += pulses
        self.pulse_total += pulses

    def end(self, status: Status, body: bytes) -> None:
        """Note that the end of the request was reached, and keep its answer."""
        account = self.account
        account.status, account.body, account.ended = status, body, True

    def reset(self, boot: int) -> None:
        """Lose what a reset loses, and go on under another boot id."""
        self.boot, self.current = boot, 0
        if not self.backup:
            self._accounts.clear()
            self.pulse_total = 0
        for account in self._accounts.values():
            account.body, account.over = None, True

    def settle(self, asked: SettleRequest) -> SettleReply:
        """Return what became of a request, and close its session for all requests up to it."""
        account, request = self._accounts.get((asked.boot, asked.session)), asked.request
        if account is None:
            return SettleReply(Outcome.FORGOTTEN)
        account.floor = max(account.floor, request)
        outcome = _outcome(account, request)
        return SettleReply(outcome, account.status, account.executed, account.last, account.body or b"")


def _outcome(account: Account, request: int) -> Outcome:
    if request > account.last:
        return Outcome.NEVER
    if request < account.last:
        return Outcome.EARLIER
    return Outcome.EXECUTED if account.ended else Outcome.BROKEN


def digest(request: Request) -> int:
    """Return the check sum by which the last request is known again."""
    return zlib.crc32(bytes([request.command, request.flags]) + request.body)
