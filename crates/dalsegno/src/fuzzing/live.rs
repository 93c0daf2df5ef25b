//! The sessions that are saved, as a program keeps them while it runs.

use serde::Serialize;

use super::verb::Feed;
use crate::document::{Document, DocumentBuilder, List};

/// What a program changes.
#[derive(Debug, Clone)]
pub enum Edit {
    PushBack(u8, usize),
    PushFront(u8),
    Next,
    Set(usize, u8),
    Shift(usize, usize),
    Truncate(usize),
    Volume(u64),
    Turn(Option<i64>),
    Note(usize),
}

/// How a program saves.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Compact,
    Indented,
    Typed,
    Shared,
    /// Something else than the session, by its number.
    Odd(usize),
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Track {
    title: String,
    encoded: String,
    seconds: u32,
}

#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Live {
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<i64>,
    volume: u64,
    current: Option<Track>,
    upcoming: Vec<Track>,
    note: Note,
    /// The same as `upcoming`, as the engine's own list.
    #[serde(skip)]
    shared: List<Track>,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Note {
    text: String,
    seen: Vec<bool>,
}

impl Edit {
    pub(super) fn of(feed: &mut Feed) -> Self {
        match feed.below(12) {
            0 => Self::PushBack(feed.byte() as u8, feed.below(50)),
            1 | 2 => Self::PushBack(feed.byte() as u8, 1),
            3 => Self::PushFront(feed.byte() as u8),
            4 | 5 => Self::Next,
            6 => Self::Set(feed.byte(), feed.byte() as u8),
            7 => Self::Shift(feed.byte(), feed.byte()),
            8 => Self::Truncate(feed.below(40)),
            9 => Self::Volume(feed.byte() as u64),
            10 => Self::Turn([None, Some(3), Some(i64::MIN)][feed.below(3)]),
            _ => Self::Note(feed.byte() * 20),
        }
    }
}

impl Form {
    pub(super) fn of(feed: &mut Feed) -> Self {
        match feed.below(8) {
            0 | 1 => Self::Compact,
            2 | 3 => Self::Indented,
            4 => Self::Typed,
            5 | 6 => Self::Shared,
            _ => Self::Odd(feed.byte()),
        }
    }
}

impl Track {
    fn of(n: u8) -> Self {
        Self {
            title: format!("Track {n} \"of\" the évening"),
            // Base64 that is kept as bytes, text that only looks like it, and none.
            encoded: match n % 3 {
                0 => "QUJD".repeat(20 + usize::from(n)),
                1 => format!("{n:x}===").repeat(30),
                _ => String::new(),
            },
            seconds: u32::from(n) * 1_000,
        }
    }
}

impl Live {
    pub(super) fn edit(&mut self, edit: &Edit) {
        match *edit {
            Edit::PushBack(n, count) => {
                for n in (0..count).map(|more| n.wrapping_add(more as u8)) {
                    self.upcoming.push(Track::of(n));
                    self.shared.push_back(Track::of(n));
                }
            }
            Edit::PushFront(n) => {
                self.upcoming.insert(0, Track::of(n));
                self.shared.push_front(Track::of(n));
            }
            Edit::Next => {
                self.current = (!self.upcoming.is_empty()).then(|| self.upcoming.remove(0));
                assert_eq!(self.shared.drop_front(), self.current.is_some());
            }
            Edit::Set(at, n) => {
                let at = at % (self.upcoming.len() + 1);
                assert_eq!(self.shared.set(at, Track::of(n)), at < self.upcoming.len());
                if let Some(place) = self.upcoming.get_mut(at) {
                    *place = Track::of(n);
                }
            }
            Edit::Shift(from, to) => {
                let (from, to) = (
                    from % (self.upcoming.len() + 1),
                    to % (self.upcoming.len() + 1),
                );
                let inside = from.max(to) < self.upcoming.len();
                assert_eq!(self.shared.shift(from, to), inside);
                if inside {
                    let track = self.upcoming.remove(from);
                    self.upcoming.insert(to, track);
                }
            }
            Edit::Truncate(len) => {
                self.upcoming.truncate(len);
                self.shared.truncate(len);
            }
            Edit::Volume(volume) => self.volume = volume,
            Edit::Turn(turn) => self.turn = turn,
            Edit::Note(len) => {
                self.note.text = "a note\t".repeat(len / 7);
                self.note.seen = (0..len / 100).map(|n| n % 3 == 0).collect();
            }
        }
        assert_eq!(self.shared.len(), self.upcoming.len());
    }

    pub(super) fn compact(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap()
    }

    pub(super) fn indented(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap();
        text.push(b'\n');
        text
    }

    /// What the program saves that keeps its lists in shared form; its text is the compact one.
    pub(super) fn document(&self) -> Document {
        let mut builder = DocumentBuilder::new();
        if let Some(turn) = self.turn {
            builder.member("turn", &turn).unwrap();
        }
        builder.member("volume", &self.volume).unwrap();
        builder.member("current", &self.current).unwrap();
        builder.list("upcoming", &self.shared).unwrap();
        let seen: List<bool> = self.note.seen.iter().copied().collect();
        let text = &self.note.text;
        builder
            .object("note", |note| {
                note.member("text", text)?.list("seen", &seen)
            })
            .unwrap()
            .finish()
    }
}

/// Whole documents of other shapes.
pub(super) fn odd(number: usize) -> Vec<u8> {
    const ODD: [&str; 17] = [
        "[1,2,3]",
        "\"just text\"",
        "  {\"turn\": 7 , \"turn\":8}\r\n",
        "{\"turn_count\":3,\"turn\":9}",
        "{\"turn\":1.5}",
        "{\"turn\":\"1\"}",
        "{\"turn\":-0}",
        "{\"turn\":99999999999999999999}",
        "\"\\ud800 alone\"",
        "1e999",
        "-0.0",
        "{}",
        "null",
        "[[],{},[{}]]",
        "{\"a\":1,\"a\":{\"a\":[]},\"\":0}",
        "{\"note\":{\"text\":\"x\"},\"volume\":[[[[]]]]}",
        "{\"current\" :  false, \"none\": 1}",
    ];
    match ODD.get(number % (ODD.len() + 1)) {
        Some(text) => text.as_bytes().to_vec(),
        None => ["[".repeat(600), "]".repeat(600)].concat().into_bytes(),
    }
}

/// Text that is refused.
pub(super) fn bad(number: usize) -> Vec<u8> {
    const BAD: [&[u8]; 14] = [
        b"",
        b" \n",
        b"{",
        b"[1,]",
        b"{\"a\":1,}",
        b"{'a':1}",
        b"NaN",
        b"01",
        b"1 2",
        b"\"a\nb\"",
        b"\xef\xbb\xbf{}",
        b"\"\xff\"",
        b"\"\\u12g4\"",
        b"[1] // a comment",
    ];
    BAD[number % BAD.len()].to_vec()
}
