//! What a person does with an engine, drawn from bytes.

use super::live::{Edit, Form};
use crate::list::Sort;
use crate::model::Kind;
use crate::store::faulty::Call;

/// How many bytes a verb is drawn from.
pub const VERB: usize = 12;

/// Sessions and names that are hard to tell from something else.
pub(super) const SESSIONS: [&str; 5] = ["bot/1", "chat", "a@b", "beef", "never saved"];
pub(super) const NAMES: [&str; 9] = [
    "party",
    "boss",
    "beef",
    "cafe01",
    "newest",
    "-1",
    "turn:3",
    "a b",
    "漢字 é",
];
pub(super) const TAGS: [&str; 3] = ["x", "y", "long evening"];
pub(super) const COMPONENTS: [&str; 6] = ["turn", "volume", "current", "upcoming", "note", "none"];

/// One thing that is done.
#[derive(Debug, Clone)]
pub enum Verb {
    Edit(usize, Edit),
    Save(Saving),
    /// Text that is refused, by its number.
    Bad(usize, usize),
    RestoreHead(Ref, Vec<&'static str>),
    RestoreFile(Ref, Vec<&'static str>),
    /// Another program writes the file that states are restored to.
    File(Option<&'static str>),
    Show(Ref),
    List(Listing),
    Verify(Option<usize>),
    Export(Option<usize>),
    /// Everything is closed and opened again, with so many bytes of cache.
    Reopen(usize),
    /// The clock moves, forth or back.
    Clock(i64),
    /// The other of two engines on the same store goes on.
    Turns,
    RollbackSteps(usize, u32, bool),
    RollbackTo(usize, Ref, bool),
    Undo(usize),
    Redo(usize),
    /// The next undo is passed over.
    Skip(usize),
    Fork(Ref, usize),
    Log(usize),
    /// Kept for so many microseconds.
    Delete(Vec<Ref>, i64),
    Undelete(Vec<Ref>),
    Purge(Purging),
    Rename(Ref, Option<&'static str>),
    Tag(Ref, Vec<&'static str>),
    Untag(Ref, Vec<&'static str>),
    Pin(Ref, bool),
    /// Of what the next verb asks the store for, one call fails, before or after it happened; or
    /// from then on every call.
    Fault(Fault),
}

/// What of the trash is purged.
#[derive(Debug, Clone)]
pub enum Purging {
    Expired,
    All,
    Session(usize),
    /// Those at these places of the trash.
    These(usize, usize),
}

/// How the store fails.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub(super) call: Call,
    pub(super) nth: usize,
    pub(super) after: bool,
    pub(super) dead: bool,
}

/// A save, with all that can be said of it.
#[derive(Debug, Clone)]
pub struct Saving {
    pub(super) session: usize,
    pub(super) form: Form,
    pub(super) kind: Kind,
    pub(super) name: Option<&'static str>,
    pub(super) tags: Vec<&'static str>,
    pub(super) label: Option<String>,
    pub(super) description: Option<String>,
    pub(super) meta: Option<i64>,
    pub(super) turn: Option<i64>,
    pub(super) version: Option<&'static str>,
}

/// How a snapshot is meant; places are taken modulo what there is.
#[derive(Debug, Clone)]
pub enum Ref {
    Id(usize),
    Prefix(usize, usize),
    Name(&'static str),
    At(usize, At),
    Odd(&'static str),
}

#[derive(Debug, Clone)]
pub enum At {
    Latest,
    Back(u8),
    Turn(i64),
    /// So many microseconds from when a snapshot was taken.
    Time(usize, i64),
    Name(&'static str),
}

#[derive(Debug, Clone)]
pub struct Listing {
    pub(super) session: Option<usize>,
    /// Microseconds from when a snapshot was taken.
    pub(super) since: Option<(usize, i64)>,
    pub(super) until: Option<(usize, i64)>,
    pub(super) kinds: Vec<Kind>,
    pub(super) tags: Vec<&'static str>,
    pub(super) name: Option<&'static str>,
    pub(super) sort: Sort,
    pub(super) reverse: bool,
    pub(super) limit: usize,
}

/// Bytes, one after the other; zeros when they are used up.
pub(super) struct Feed {
    bytes: [u8; VERB],
    at: usize,
}

impl Feed {
    pub(super) fn byte(&mut self) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        usize::from(byte)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.byte() % end
    }

    pub(super) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        let at = self.below(of.len());
        of[at]
    }

    /// Something in about one of `of` cases.
    fn some<T>(&mut self, of: usize, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(of) == 1).then(|| draw(self))
    }

    fn many<T: Copy>(&mut self, of: &[T]) -> Vec<T> {
        let bits = self.byte();
        let wanted = |(at, value): (usize, &T)| (bits >> (2 * at) & 3 == 1).then_some(*value);
        of.iter().enumerate().filter_map(wanted).collect()
    }

    fn micros(&mut self) -> i64 {
        [-1, 0, 1, -1_000_000, 1_000_000][self.below(5)]
    }
}

impl Verb {
    /// The verb that these bytes mean.
    pub fn of(bytes: [u8; VERB]) -> Self {
        let feed = &mut Feed { bytes, at: 0 };
        match feed.below(64) {
            0..=7 => Self::Edit(feed.below(4), Edit::of(feed)),
            8..=15 => Self::Save(Saving::of(feed)),
            16 => Self::Bad(feed.below(4), feed.byte()),
            17 | 18 => Self::RestoreHead(Ref::of(feed), Vec::new()),
            19 => Self::RestoreHead(Ref::of(feed), feed.many(&COMPONENTS)),
            20 => Self::RestoreFile(Ref::of(feed), feed.many(&COMPONENTS)),
            21 => Self::RestoreFile(Ref::of(feed), Vec::new()),
            22 => Self::File(feed.one(&[
                None,
                Some("{\"volume\": 5, \"else\": [true]}\n"),
                Some("not JSON"),
                Some("[1]"),
            ])),
            23..=25 => Self::Show(Ref::of(feed)),
            26 | 27 => Self::List(Listing::of(feed)),
            28 => Self::Verify(feed.some(2, |feed| feed.below(SESSIONS.len()))),
            29 => Self::Export(feed.some(2, |feed| feed.below(SESSIONS.len()))),
            30 => Self::Reopen(feed.one(&[0, 5_000, 1 << 20])),
            31 => Self::Skip(feed.below(4)),
            32..=34 => Self::RollbackSteps(feed.below(4), feed.below(4) as u32, feed.below(5) == 0),
            35 => Self::RollbackTo(feed.below(4), Ref::of(feed), feed.below(5) == 0),
            36..=39 => Self::Undo(feed.below(4)),
            40..=42 => Self::Redo(feed.below(4)),
            43 => Self::Fork(Ref::of(feed), feed.below(SESSIONS.len())),
            44 => Self::Log(feed.below(SESSIONS.len())),
            45..=48 => Self::Delete(
                (0..1 + feed.below(3)).map(|_| Ref::of(feed)).collect(),
                [0, 50, 1_000_000_000][feed.below(3)],
            ),
            49 | 50 => Self::Undelete((0..1 + feed.below(2)).map(|_| Ref::of(feed)).collect()),
            51 | 52 => Self::Purge(match feed.below(5) {
                0 => Purging::Expired,
                1 => Purging::Session(feed.below(SESSIONS.len())),
                2 => Purging::These(feed.byte(), feed.byte()),
                _ => Purging::All,
            }),
            53 => Self::Rename(Ref::of(feed), feed.some(2, |feed| feed.one(&NAMES))),
            54 => Self::Tag(Ref::of(feed), feed.many(&TAGS)),
            55 => Self::Untag(Ref::of(feed), feed.many(&TAGS)),
            56 => Self::Pin(Ref::of(feed), feed.below(3) == 0),
            57..=60 => Self::Fault(Fault {
                call: feed.one(&Call::ALL),
                nth: feed.below(12) * feed.below(3),
                after: feed.below(2) == 0,
                dead: feed.below(2) == 0,
            }),
            _ => match feed.below(2) {
                0 => Self::Turns,
                _ => Self::Clock(feed.micros() * (1 + feed.byte() as i64)),
            },
        }
    }
}

impl Saving {
    fn of(feed: &mut Feed) -> Self {
        Self {
            session: feed.below(4),
            form: Form::of(feed),
            kind: feed
                .some(3, |feed| feed.one(&Kind::ALL))
                .unwrap_or(Kind::Manual),
            name: feed.some(3, |feed| feed.one(&NAMES)),
            turn: feed.some(4, |feed| feed.below(5) as i64 - 1),
            label: feed.some(4, |_| "a label\nof two lines".to_owned()),
            tags: feed.many(&TAGS),
            description: feed.some(4, |_| "é".repeat(30)),
            meta: feed.some(4, |_| i64::MIN),
            version: feed.some(4, |_| "v2"),
        }
    }
}

impl Ref {
    fn of(feed: &mut Feed) -> Self {
        const ODD: [&str; 8] = [
            "",
            "be",
            "beef",
            "bot/1",
            "@latest",
            "bot/1@",
            "019fffff-ffff-7fff-bfff-ffffffffffff",
            "0000",
        ];
        match feed.below(8) {
            0 | 1 => Self::Id(feed.byte()),
            2 => Self::Prefix(feed.byte(), 1 + feed.below(32)),
            3 => Self::Name(feed.one(&NAMES)),
            4 => Self::Odd(feed.one(&ODD)),
            _ => Self::At(feed.below(SESSIONS.len()), At::of(feed)),
        }
    }
}

impl At {
    fn of(feed: &mut Feed) -> Self {
        match feed.below(6) {
            0 => Self::Latest,
            1 | 2 => Self::Back(feed.below(6) as u8),
            3 => Self::Turn(feed.below(5) as i64 - 1),
            4 => Self::Time(feed.byte(), feed.micros()),
            _ => Self::Name(feed.one(&NAMES)),
        }
    }
}

impl Listing {
    fn of(feed: &mut Feed) -> Self {
        let sorts = [Sort::Commit, Sort::Created, Sort::Size, Sort::Name];
        Self {
            session: feed.some(3, |feed| feed.below(SESSIONS.len())),
            sort: feed.one(&sorts),
            reverse: feed.below(2) == 1,
            limit: 1 + feed.below(7),
            kinds: feed
                .some(3, |feed| feed.many(&Kind::ALL))
                .unwrap_or_default(),
            tags: feed.some(4, |feed| feed.many(&TAGS)).unwrap_or_default(),
            since: feed.some(4, |feed| (feed.byte(), feed.micros())),
            until: feed.some(4, |feed| (feed.byte(), feed.micros())),
            name: feed.some(6, |feed| feed.one(&NAMES)),
        }
    }
}
