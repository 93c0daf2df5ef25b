"""The shapes of answers.

Answers are plain dicts and lists, with the members and the order of the command's `--json`; times are aware
`datetime` in UTC, sizes are bytes. These types are for type checkers only.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

__all__ = [
    "Action",
    "Answer",
    "AuditBreak",
    "AuditCheck",
    "AuditEntry",
    "AuditPage",
    "BackedUp",
    "Backup",
    "BackupCheck",
    "BackupHealth",
    "BackupKind",
    "BackupStep",
    "Backups",
    "BlockHealth",
    "Cleaned",
    "CleanupPlan",
    "ComponentChange",
    "ComponentDiff",
    "ComponentStats",
    "ComponentsStats",
    "Counts",
    "Damage",
    "Day",
    "Diagnosis",
    "Diff",
    "Difference",
    "Drill",
    "Finding",
    "Gap",
    "Guard",
    "GuardReport",
    "GuardRestored",
    "GuardedList",
    "HandedOver",
    "Holder",
    "Imported",
    "Intervals",
    "Kind",
    "KnownBackup",
    "LeftOpen",
    "LogDamaged",
    "LogEntry",
    "LogOperation",
    "LogSave",
    "Lost",
    "LostRows",
    "LostSnapshot",
    "NotMigrated",
    "Opened",
    "Operation",
    "Outcome",
    "Page",
    "PassedOver",
    "Peer",
    "Permission",
    "Plan",
    "PlannedSnapshot",
    "Policy",
    "Principal",
    "PrincipalRule",
    "Purged",
    "Reason",
    "Rebuilt",
    "Recovered",
    "Rehearsal",
    "RehearsedStep",
    "Repaired",
    "RepairedComponent",
    "RepairedSnapshot",
    "Repairs",
    "Report",
    "RestoreBackupPlan",
    "RestoreSessionPlan",
    "RestoredBackup",
    "RestoredSession",
    "Returned",
    "RowRepair",
    "Rules",
    "ScrubProgress",
    "SessionPlan",
    "SessionRepairs",
    "SessionStats",
    "Snapshot",
    "Sort",
    "Stats",
    "Target",
    "Trashed",
    "UnreadableBackup",
    "Verb",
    "Verification",
]

Kind: TypeAlias = Literal["manual", "auto", "guard", "safety", "import"]
"""Why a snapshot was taken."""

Sort: TypeAlias = Literal["commit", "created", "size", "name"]
"""The order of a listing: newest, newest, largest, A first."""

Permission: TypeAlias = Literal["create", "read", "restore", "delete", "admin"]
"""What somebody may do; each of the others includes to read."""

Action: TypeAlias = Literal[
    "save",
    "auto_save",
    "guard",
    "safety",
    "import",
    "fork",
    "restore",
    "rollback",
    "undo",
    "redo",
    "delete",
    "undelete",
    "purge",
    "amend",
    "open",
    "take_over",
    "read",
    "policy",
    "guard_rule",
    "key",
    "encrypt",
    "decrypt",
    "erase",
    "access",
    "audit_on",
    "audit_off",
    "audit_read",
    "repair",
    "backup",
    "restore_backup",
]
"""What the audit log tells of."""

BackupKind: TypeAlias = Literal["full", "incremental", "differential"]
"""What a backup has of its own: everything, what changed since the one before it, what changed since a certain one."""

BackupStep: TypeAlias = Literal["checking", "reading", "parity", "restoring", "verifying"]
"""What is being done to a backup: archives are read and proved; the store is read; the archive is read back; rows are put into
the new store; it is proved."""

Outcome: TypeAlias = Literal["done", "denied", "begun", "rolled_back"]
"""What came of it; what only began, of that it is not known how it ended."""

Verb: TypeAlias = Literal["restore", "rollback", "undo", "redo"]
"""What put a state back."""


# `from` is a keyword, so that some of these need the functional form.
Operation = TypedDict(
    "Operation",
    {
        "verb": Literal["restore", "rollback", "undo", "redo", "fork", "import"],
        "from": str,
    },
)
Operation.__doc__ = """The deed that added a snapshot to the history, and the snapshot it took (of an import: its old id)."""


RepairedComponent = TypedDict("RepairedComponent", {"component": str, "from": str, "agreed": bool})
RepairedComponent.__doc__ = """A component of a state that was put together again, the snapshot whose value it has, and
whether those before and after agree on it."""


class Repaired(TypedDict):
    """What a repair made of a snapshot, where not all of it came back."""

    at: datetime
    lost_metadata: bool
    lost_state: bool
    lost_checksum: str | None
    components: list[RepairedComponent]


class Snapshot(TypedDict):
    """What is known of a snapshot without reading its content."""

    id: str
    session: str
    name: str | None
    label: str | None
    description: str | None
    tags: list[str]
    metadata: dict[str, Any]
    kind: Kind
    created_at: datetime
    turn: int | None
    schema_version: str | None
    size: int
    """Bytes of the document's text."""
    stored_size: int
    """Bytes its record took when it was committed."""
    checksum: str
    parent: str | None
    same_as: str | None
    unchanged: bool
    pinned: bool
    operation: Operation | None
    intent: str | None
    """What was said of items that the state has no more."""
    actor: str | None
    """What the program that took it is called, where it said so."""
    repaired: Repaired | None
    """What of it is not as it was saved, because it was damaged and repaired."""
    epoch: int


class Page(TypedDict):
    """A page of a listing."""

    snapshots: list[Snapshot]
    next: str | None
    """The cursor of the next page; None where this is the last."""
    damaged: list[str]
    """Ids of snapshots whose rows are damaged."""


class Damage(TypedDict):
    """Something that is not as it was written, and what is lost by it."""

    session: str | None
    snapshots: list[str]
    message: str


class Verification(TypedDict):
    """What was proved, and what is damaged: nothing, where `damage` is empty. What is marked as `repaired` is not damaged,
    but not as it was saved."""

    sessions: int
    snapshots: int
    states: int
    bytes: int
    repaired: int
    """How many of the snapshots a repair marked: they are not, or not all of them, as they were saved."""
    damage: list[Damage]


class ScrubProgress(TypedDict):
    """How far a scrub is."""

    rounds: int
    """Rounds that are complete."""
    sessions: int
    """Sessions of this round that are proved."""
    of: int
    """How many there were when it began."""
    bytes: int
    """Bytes of states, and of the store's file, that were proved in all rounds."""
    snapshots: int
    """Snapshots, those in the trash too, as of the last look at each session."""
    repaired: int
    """How many of them a repair marked: they are not, or not all of them, as they were saved."""
    damage: list[Damage]
    """What is damaged, as of the last look at each session and at the rest of the store."""
    ended: bool
    error: str | None
    """Why it ended, where that was no end of a round and nobody stopped it."""


RehearsedStep = TypedDict(
    "RehearsedStep", {"sessions": str, "from": str | None, "to": str, "snapshots": int}
)
RehearsedStep.__doc__ = (
    """A migration, and how many snapshots took it on their way to the newest schema version."""
)


NotMigrated = TypedDict(
    "NotMigrated",
    {
        "id": str,
        "session": str,
        "schema_version": str | None,
        "from": str | None,
        "to": str | None,
        "deleted": bool,
        "message": str,
    },
)
NotMigrated.__doc__ = """A snapshot that cannot be had in the current shape, and at which step. Its saved bytes can."""


class Rehearsal(TypedDict):
    """What the migrations would do to what is stored: how many snapshots are `current` and how many would be `migrated`.

    Those that a step fails for are in `failed`, those with a schema version that no step starts from in `unknown`, what is
    damaged in `damage`.
    """

    sessions: int
    snapshots: int
    current: int
    migrated: int
    steps: list[RehearsedStep]
    failed: list[NotMigrated]
    unknown: list[NotMigrated]
    damage: list[Damage]
    others: int


class RepairedSnapshot(TypedDict):
    """A snapshot that was damaged, and how it came back."""

    snapshot: str
    how: Literal["from_source", "found_here", "metadata_lost", "salvaged"]
    source: NotRequired[str]
    metadata: NotRequired[bool]
    components: NotRequired[list[RepairedComponent]]


class LostSnapshot(TypedDict):
    """A snapshot that is lost."""

    snapshot: str
    why: str


class Gap(TypedDict):
    """Two snapshots between which others may have stood."""

    after: str | None
    before: str | None


class SessionRepairs(TypedDict):
    """What became of one session."""

    session: str
    snapshots: list[RepairedSnapshot]
    lost: list[LostSnapshot]
    gaps: list[Gap]
    notes: list[str]
    held: str | None
    """The program that has it open, so that it could not be repaired."""


class RowRepair(TypedDict):
    """A damaged row that is of no session's history, and what became of it."""

    what: str
    outcome: Literal["from_source", "lost", "removed", "left"]


class Repairs(TypedDict):
    """What a repair did, or would do."""

    sessions: list[SessionRepairs]
    rows: list[RowRepair]
    aside: list[str]
    """The files that have the rows that were replaced."""


class Rebuilt(TypedDict):
    """What building a store anew did, or would do."""

    rows: int
    torn: list[str]
    """The tables of which something could not be read."""
    broken: list[str]
    """What of the old file's own structure was damaged: its header, the definitions of its tables."""
    repairs: Repairs
    damage: list[Damage]
    kept: str | None
    """Where the old file is kept."""
    finished: bool
    """Whether an earlier call had done all but to put the new file there: what that one lost is not known any more."""


class Target(TypedDict):
    """Where a state is put back."""

    kind: Literal["head", "file", "other"]
    path: NotRequired[str]


class ComponentChange(TypedDict):
    """What happens to a component of the target, and its bytes before and after."""

    name: str
    change: Literal["same", "changed", "added", "removed"]
    before: int | None
    after: int | None


class Plan(TypedDict):
    """What putting a state back would do."""

    verb: Verb
    session: str
    snapshot: Snapshot | None
    target: Target
    components: list[ComponentChange]
    changes: bool
    """Whether anything there will be different afterwards."""
    removes: bool
    """Whether nothing will be there afterwards."""


class Report(TypedDict):
    """What putting a state back did."""

    plan: Plan
    safety: Snapshot | None
    """What stood at the target before."""
    kept_beside: str | None
    """The file that has what stood at the target before and is no JSON."""
    head: Snapshot | None
    """The session's newest snapshot, where the target was the stored head and anything changed."""
    no_undo: str | None
    """Why it cannot be undone, where it cannot."""


class LogSave(TypedDict):
    """A state was saved, imported, or forked from another session."""

    entry: Literal["save"]
    snapshot: Snapshot


LogOperation = TypedDict(
    "LogOperation",
    {
        "entry": Literal["operation"],
        "id": str,
        "verb": Verb,
        "status": Literal["begun", "done", "rolled_back"],
        "undone": bool,
        "at": datetime,
        "from": str | None,
        "components": list[str],
        "target": Target,
        "before": str | None,
        "kept_beside": str | None,
        "failure": str | None,
        "not_put_back": bool,
    },
)
LogOperation.__doc__ = """Something was put back."""


class LogDamaged(TypedDict):
    """What is here cannot be read."""

    entry: Literal["damaged"]
    id: str
    message: str


LogEntry: TypeAlias = LogSave | LogOperation | LogDamaged
"""A line of a session's log."""


class Counts(TypedDict):
    """How many differences of each kind there are, and their bytes."""

    added: int
    removed: int
    moved: int
    changed: int
    bytes_added: int
    bytes_removed: int


class Difference(TypedDict):
    """What happened to an item of a list, or to a member of an object."""

    kind: Literal["added", "removed", "moved", "changed"]
    path: str
    old_index: NotRequired[int]
    new_index: NotRequired[int]
    moved: NotRequired[bool]
    label: NotRequired[str]
    before: NotRequired[Any]
    after: NotRequired[Any]
    inside: NotRequired[list["Difference"]]


class ComponentDiff(TypedDict):
    """What differs in one component."""

    name: str
    change: Literal["changed", "added", "removed"]
    only_spelling: bool
    counts: Counts
    differences: list[Difference]


Diff = TypedDict(
    "Diff",
    {"from": Snapshot, "to": Snapshot, "identical": bool, "components": list[ComponentDiff]},
)
Diff.__doc__ = """What differs between the states of two snapshots."""


class Trashed(TypedDict):
    """A snapshot in the trash."""

    snapshot: Snapshot
    deleted_at: datetime
    keep_until: datetime


class Purged(TypedDict):
    """How many snapshots are gone for good, and the bytes that were freed."""

    snapshots: int
    freed: int
    not_given_back: NotRequired[str]
    """Why the space could not be given back to the file system, where it could not."""


class Reason(TypedDict):
    """Why a snapshot stays or goes; some rules say more."""

    rule: str
    tag: NotRequired[str]
    count: NotRequired[int]
    hour: NotRequired[str]
    day: NotRequired[str]
    week: NotRequired[str]
    month: NotRequired[str]
    than: NotRequired[str]
    kind: NotRequired[Kind]


class PlannedSnapshot(TypedDict):
    """What will become of a snapshot, and why."""

    id: str
    name: str | None
    kind: Kind
    created_at: datetime
    keep: bool
    reason: Reason


class SessionPlan(TypedDict):
    """What will become of a session's snapshots."""

    session: str
    policy: str | None
    snapshots: list[PlannedSnapshot]


class CleanupPlan(TypedDict):
    """What a cleanup would do, and why."""

    sessions: list[SessionPlan]
    deleted: int
    kept: int
    frees: int
    expired: Purged
    damage: list[Damage]
    purge: bool


class Cleaned(TypedDict):
    """What a cleanup did."""

    deleted: int
    purged: Purged
    file_shrunk: int | None
    damage: list[Damage]


class Rules(TypedDict, total=False):
    """Rules of retention; what is not asked is not there. Durations as people read them."""

    older_than: str
    keep_last: int
    keep_hourly: int
    keep_daily: int
    keep_weekly: int
    keep_monthly: int
    kinds: list[Kind]
    tags: list[str]
    keep_nothing: bool


class Policy(TypedDict):
    """What is kept of the sessions that a pattern names."""

    pattern: str
    rules: Rules
    grace: NotRequired[str]


class Intervals(TypedDict):
    """Seconds between one snapshot of a session and the next."""

    count: int
    median: float
    shortest: float
    longest: float


class Day(TypedDict):
    """A day on which snapshots were taken."""

    date: date
    snapshots: int
    text_bytes: int
    stored_bytes: int


class SessionStats(TypedDict):
    """One session among others."""

    session: str
    snapshots: int
    unchanged: int
    text_bytes: int
    stored_bytes: int
    ratio: float | None
    oldest: datetime | None
    newest: datetime | None
    intervals: Intervals | None


class ComponentStats(TypedDict):
    """How often a component changes."""

    name: str
    changed: int
    bytes: int


class ComponentsStats(TypedDict):
    """Which components change, in the newest states."""

    newest: int
    snapshots: int
    compared: int
    unreadable: int
    changes: list[ComponentStats]
    more: int


class Stats(TypedDict):
    """Figures about a store or a session."""

    session: str | None
    file_bytes: int | None
    sessions: int
    snapshots: int
    unchanged: int
    named: int
    repaired: int
    """How many a repair marked."""
    kinds: dict[Kind, int]
    text_bytes: int
    stored_bytes: int
    ratio: float | None
    trash: int
    oldest: Snapshot | None
    newest: Snapshot | None
    intervals: Intervals | None
    zone: str | None
    hours: list[int]
    days: list[Day]
    by_session: list[SessionStats]
    components: ComponentsStats | None
    damage: list[Damage]


class Finding(TypedDict):
    """Something wrong with a store's place, and what can be done about it."""

    severity: Literal["warning", "problem"]
    message: str
    remedy: str


class Diagnosis(TypedDict):
    """What the doctor saw."""

    path: str
    id: str
    format: int
    encrypted: bool
    read_only: bool
    sessions: int
    snapshots: int
    repaired: int
    """How many of them a repair marked."""
    newest: Snapshot | None
    bytes: int
    free_bytes: int
    disk_free: int
    modes: list[str]
    durability: str
    settings: list[list[str]]
    findings: list[Finding]


class Imported(TypedDict):
    """What an import did."""

    added: list[Snapshot]
    present: int


class KeySlot(TypedDict):
    """A key or passphrase that opens an encrypted store."""

    id: int
    kind: Literal["key", "passphrase"]
    label: str | None
    created_at: datetime


class Turned(TypedDict):
    """What turning encryption on or off did."""

    rows: int
    """How many rows were written anew; 0 where an earlier call had come so far."""
    bytes_before: int
    bytes_after: int


class Erasure(TypedDict):
    """What erasing a session takes away, or took."""

    session: str
    snapshots: int
    """Those in the trash too; 0 where an earlier call had come so far."""
    bytes: int
    named_by: list[str]
    """Patterns of policies and guards that are its name: they stay, and say it."""
    backups: list["KnownBackup"]
    """Backups that it does not reach: what they hold of it stays in them, and a restore of one brings it back, unless a backup
    that was made since lies in the same folder."""


class Tombstone(TypedDict):
    """What is left of a session that was erased."""

    hash: str
    """A keyed hash of its name."""
    erased_at: datetime


class KnownBackup(TypedDict):
    """A backup that was made of the store."""

    id: str
    kind: BackupKind
    taken_at: datetime
    path: str
    is_there: bool
    """Whether something stands there now."""


class Backup(TypedDict):
    """A backup, as its archive tells of it without any key."""

    path: str
    id: str
    store: str
    kind: BackupKind
    base: str | None
    """The backup that it goes on from."""
    needs: list[str]
    """The backups without which it cannot be restored."""
    taken_at: datetime
    """The moment that it shows."""
    sessions: int
    snapshots: int
    """Those in the trash too."""
    bytes: int
    """Of the archive."""
    row_bytes: int
    """Of all rows that it is of, those in other backups too."""
    damaged_rows: int
    """Rows that were damaged in the store when it was made: they are in it as they were."""
    blocks: int
    parity_blocks: int
    """So many blocks may be damaged, whichever they are, and nothing is lost."""
    encrypted: bool


class UnreadableBackup(TypedDict):
    """An archive that cannot be counted as a backup."""

    path: str
    why: str


class Backups(TypedDict):
    """What lies in a folder of backups."""

    complete: list[Backup]
    unfinished: list[str]
    """Files of those that were begun and not ended: the next backup of the same kind goes on with one."""
    unreadable: list[UnreadableBackup]
    """Those that do not say any more what they are, and why."""


class BackedUp(TypedDict):
    """What became of making a backup."""

    backup: Backup
    found_bytes: int
    """Bytes of the archive that an earlier call had written before it was interrupted."""
    passed_over: list[UnreadableBackup]
    """Backups that this one could have gone on from, were they whole; and why not."""


class LostRows(TypedDict):
    """What cannot be had from a backup any more."""

    what: str
    sessions: list[str]
    """Those of which nothing is left but their snapshots, by name."""
    snapshots: list[str]


class BlockHealth(TypedDict):
    """The blocks of an archive."""

    blocks: int
    parity: int
    """How many of them are parity."""
    block_bytes: int
    damaged: int
    """How many are damaged or missing; where they are not more than the parity, it makes them again."""


class BackupHealth(TypedDict):
    """What was proved of one archive."""

    path: str
    backup: Backup | None
    health: BlockHealth | None
    lost: list[LostRows]
    """What of the backup is lost, with this archive or one that it needs."""
    error: str | None
    """Why it cannot be restored at all."""


class BackupCheck(TypedDict):
    """What was proved of backups."""

    whole: bool
    """Whether each of them can be restored, all of it."""
    archives: list[BackupHealth]


class RestoredBackup(TypedDict):
    """What was restored."""

    backup: Backup
    path: str
    """The store's file."""
    erased: int
    """How many sessions stayed away, because they were erased since."""
    unread: list[UnreadableBackup]
    """Later backups that could not be asked what was erased since."""
    lost: list[LostRows]
    """What was lost with the archive; empty if all is there."""
    repairs: Repairs | None
    """What became of the rest, where some was lost."""
    verification: Verification
    """What was proved of the new store."""


class RestoreBackupPlan(TypedDict):
    """What restoring a backup would do."""

    backup: Backup
    path: str
    """The file that the store would be."""
    unread: list[UnreadableBackup]
    """Later backups that could not be asked what was erased since."""
    lost: list[LostRows]
    """What was lost with the archive; empty if all is there."""


class RestoredSession(TypedDict):
    """What was restored of a session."""

    backup: Backup
    session: str
    added: list[Snapshot]
    present: int
    """How many of its snapshots were there already."""
    newest: Snapshot
    unread: list[UnreadableBackup]
    """Later backups that could not be asked whether it was erased since."""


class RestoreSessionPlan(TypedDict):
    """What restoring a session would do."""

    backup: Backup
    session: str
    absent: list[Snapshot]
    """The snapshots that would be added, as the backup has them."""
    present: int
    newest: Snapshot
    """The snapshot of the backup whose state would be the session's newest."""
    unread: list[UnreadableBackup]
    """Later backups that could not be asked whether it was erased since."""


class Drill(TypedDict):
    """What trying to restore a backup came to."""

    backup: Backup
    age_seconds: int
    """How old it was: what was saved since would be lost."""
    took_ms: int
    unread: list[UnreadableBackup]
    """Later backups that could not be asked what was erased since."""
    verification: Verification


class Opened(TypedDict):
    """A session that was opened."""

    session: str
    epoch: int
    """The number of this writer among all that the session had; it rises."""
    was_closed: bool
    """Whether the one before closed it. If not, its newest state may be older than what it had."""


class Holder(TypedDict):
    """Who has a session open, or had."""

    session: str
    epoch: int
    standing: Literal["open", "gone", "closed"]
    """It is at work; it went without closing the session; it closed it."""
    program: str | None
    pid: int | None
    since: datetime


class PassedOver(TypedDict):
    """A snapshot that was not chosen, and why."""

    snapshot: str
    why: str


class Recovered(TypedDict):
    """A session that was not closed, and what became of it."""

    session: str
    snapshot: Snapshot | None
    """Its newest state that is intact, which it stands at now."""
    passed_over: list[PassedOver]
    """Newer snapshots that are damaged, newest first."""
    program: str | None
    """The program that had it, if it is known."""
    error: NotRequired[str]
    """Why it could not be recovered; then it is as it was, and not open."""


class LeftOpen(TypedDict):
    """A session that a program left without closing it."""

    session: str
    program: str | None


class _GuardedPath(TypedDict):
    list: str
    """Its path: names of members with dots between them; a state that is a list itself is `.`."""


class GuardedList(_GuardedPath, total=False):
    """A list that loses no items without a word, and what leaves it by nature."""

    key: str
    """Within an item, what says which item it is; without it, items are the same where they are equal."""
    consumed: Literal["front", "back"]
    """Where items leave because they are used."""
    trimmed: Literal["front", "back"]
    """Where the oldest items are, which leave because the list is bounded."""
    bound: int
    """How many items it has when it is full."""


class Guard(TypedDict):
    """The guard of the sessions of a pattern."""

    pattern: str
    lists: list[GuardedList]
    generations: int
    max_age: str


class Lost(TypedDict):
    """What a list lost."""

    list: str
    before: int
    after: int
    lost: Sequence[int]
    """The places of the lost items in the fuller list."""


class Returned(TypedDict):
    """How many items come back to a list."""

    list: str
    items: int


class _GuardReport(TypedDict):
    session: str
    guard: Guard
    status: Literal["fine", "shrunk_on_purpose", "shrunk_by_accident", "diverged"]
    recommendation: Literal["nothing", "restore", "merge", "by_hand"]
    reason: str
    """Why, for people."""
    fullest: str | None
    """The fuller state from which most is missing."""
    generations: list[Snapshot]
    """All fuller states that are kept, newest first; the label of each says what the save after it lost."""
    damage: list[Damage]


class GuardReport(_GuardReport, total=False):
    """How it stands with a guarded session."""

    intent: str
    """What was said, where it shrank on purpose."""
    lost: list[Lost]
    """What is missing of the fullest generation, where items were lost."""
    generation: int
    newer: int
    """How many items the newest state has that it has not, where they diverged."""


class GuardRestored(TypedDict):
    """What came back, or would."""

    returned: list[Returned]
    """Empty where nothing is missing."""
    status: GuardReport
    """How it stood before."""
    plan: Plan | None
    report: Report | None
    """What was done; None where nothing was to be done, or only the plan was asked for."""


class Peer(TypedDict):
    """A program on the other side."""

    program: str
    """What it is called."""
    pid: int


class Answer(TypedDict):
    """What came of a request."""

    by: Peer | None
    """Who carried it out; None where no program had the session open, so that it was done here."""
    value: Any
    """What it answered, as JSON has it: of `save` the snapshot, of the engine's other verbs the report, both as in the command's
    `--json`, with times as text."""
    not_told: str | None
    """Why the program that has the session open goes on with the state that it has, where it does."""


class HandedOver(TypedDict):
    """A session that another program handed over, or left."""

    session: str
    epoch: int
    """The number of this writer among all that the session had."""
    by: Peer | None
    """Who handed it over; None where no program had it open any more."""
    was_closed: bool
    """Whether all that the one before had is in it. If not, that one ended without closing it, and it was recovered."""
    snapshot: Snapshot | None
    """Its newest state, which was verified."""


class PrincipalRule(TypedDict):
    """What somebody may do to some sessions."""

    permissions: list[Permission]
    pattern: str
    """`bot/42`, `bot/*`; `**` for all, and for what is of no session, such as keys and rules."""


class Principal(TypedDict):
    """Somebody who uses the store, or a program that does."""

    name: str
    rules: list[PrincipalRule]
    created_at: datetime


class AuditEntry(TypedDict):
    """Something that was done, or denied."""

    number: int
    """They count on by one."""
    at: datetime
    who: str
    """The principal that did it, or the program where the store has none."""
    behalf: NotRequired[str]
    """For whom, where another asked for it."""
    action: Action
    outcome: Outcome
    sessions: list[str]
    """By name; one that is gone is `#` and the number that it had."""
    count: int
    """How many snapshots it was about."""
    snapshots: list[str]
    """Those; of more than 16 that were saved together, the first and the last."""
    note: NotRequired[str]
    """What else is to say."""


class AuditPage(TypedDict):
    """Rows of the audit log."""

    entries: list[AuditEntry]
    """The newest first."""
    damage: list[Damage]


class AuditBreak(TypedDict):
    """What is wrong with the audit log."""

    number: int
    """The row."""
    message: str


class AuditCheck(TypedDict):
    """What the look at the audit log found."""

    rows: int
    head: str | None
    """The last row that is as it was written."""
    keyed: bool
    """Whether the rows are chained by a key that only who can open the store has. Without it, whoever can write the file can
    write the whole log anew, and only a head that was kept elsewhere tells."""
    compared: bool
    """Whether a head that was kept was compared."""
    broken: AuditBreak | None
    """The first that is not as it was written."""
