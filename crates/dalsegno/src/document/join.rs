//! From a cut text to a document, in the memory of the one before it where they agree.

use bytes::Bytes;

use super::{Document, Gap};

/// How far ahead in the earlier state to look when its next item is not the one that stands here.
pub(super) const AHEAD: usize = 4;

/// A value's place in the text, and in the earlier state if it stood there.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) known: Option<usize>,
    /// Tiny elements of one list; more may join.
    pub(super) group: bool,
}

/// The document of `text` cut at `spans`, with what it has in common with `like` in the same memory.
pub(super) fn join(text: &[u8], spans: &[Span], like: Option<&Document>) -> Document {
    let nothing = Document::nothing();
    let like = like.unwrap_or(&nothing);
    let mut pool = Pool::default();
    let mut items = Vec::with_capacity(spans.len());
    let mut gaps: Vec<(u32, Piece)> = Vec::with_capacity(like.gaps.len());
    let (mut end, mut next, mut next_gap) = (0, 0, 0);
    let mut last_gap: &[u8] = b"";
    let mut gap = |from: usize, to: usize, pool: &mut Pool| {
        let gap = text.get(from..to).unwrap_or_default();
        if let Some((times, _)) = gaps.last_mut().filter(|_| last_gap == gap) {
            *times += 1;
            return;
        }
        last_gap = gap;
        let known = |at: &usize| like.gaps.get(*at).is_some_and(|known| known.text == gap);
        let piece = match (next_gap..next_gap + AHEAD).find(known) {
            Some(at) => {
                next_gap = at + 1;
                like.gaps
                    .get(at)
                    .map_or(Piece::Fresh(0, 0), |g| Piece::Shared(g.text.clone()))
            }
            None => {
                next_gap += 1;
                pool.add(gap)
            }
        };
        gaps.push((1, piece));
    };
    for span in spans {
        gap(end, span.start, &mut pool);
        end = span.end;
        let item = text.get(span.start..span.end).unwrap_or_default();
        // What is known was compared when it was found; small values are compared here.
        let found = match span.known {
            Some(at) => like.items.get(at),
            None => like.items.get(next).filter(|there| *there == item),
        };
        next = span.known.unwrap_or(next) + 1;
        items.push(found.map_or_else(|| pool.add(item), |there| Piece::Shared(there.clone())));
    }
    gap(end, text.len(), &mut pool);
    let fresh = Bytes::from(pool.bytes);
    Document {
        gaps: gaps
            .into_iter()
            .map(|(times, piece)| Gap {
                times,
                text: piece.of(&fresh),
            })
            .collect(),
        items: items.into_iter().map(|piece| piece.of(&fresh)).collect(),
    }
}

/// What no earlier state had, gathered in one allocation, so that the whole text need not be kept.
#[derive(Default)]
struct Pool {
    bytes: Vec<u8>,
}

enum Piece {
    Shared(Bytes),
    Fresh(usize, usize),
}

impl Pool {
    fn add(&mut self, text: &[u8]) -> Piece {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        Piece::Fresh(start, self.bytes.len())
    }
}

impl Piece {
    fn of(self, fresh: &Bytes) -> Bytes {
        match self {
            Self::Shared(bytes) => bytes,
            Self::Fresh(start, end) => fresh.slice(start..end),
        }
    }
}
