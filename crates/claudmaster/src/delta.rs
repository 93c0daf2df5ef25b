//! A text as what it has in common with another one, and the rest.

use crate::resync::{Resync, same_end, same_start};

/// How to make a text from its source: the text that came after it.
#[derive(Debug, Default)]
pub(crate) struct Delta {
    steps: Box<[Step]>,
    /// What the source does not have, in order.
    fresh: Box<[u8]>,
}

/// Take `fresh` bytes of the delta's own, pass over `skip` bytes of the source, copy the next `copy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    fresh: usize,
    skip: usize,
    copy: usize,
}

impl Delta {
    /// What makes `text` from `source`. Equal parts are found in order, at the speed of comparing; around each
    /// change some more is looked at, as far as it takes to be in step again.
    pub(crate) fn between(text: &[u8], source: &[u8]) -> Self {
        let tail = same_end(text, source);
        let body = text.len() - tail;
        let source_body = source.len() - tail;
        let (mut steps, mut fresh) = (Vec::new(), Vec::new());
        let (mut at, mut from) = (0, 0);
        let mut next = Step {
            fresh: 0,
            skip: 0,
            copy: 0,
        };
        let mut resync = Resync::new(source.len());
        loop {
            let rest = text.get(at..body).unwrap_or_default();
            let source_rest = source.get(from..source_body).unwrap_or_default();
            let same = same_start(rest, source_rest);
            at += same;
            from += same;
            next.copy = same;
            let (rest, source_rest) = (rest.get(same..), source_rest.get(same..));
            let rest = rest.unwrap_or_default();
            let found = resync.find(rest, source_rest.unwrap_or_default());
            let (own, skip) = found.unwrap_or((rest.len(), source_body - from));
            if found.is_none() && own == 0 && skip == 0 {
                next.copy += tail;
                steps.push(next);
                break;
            }
            if next != Step::NOTHING {
                steps.push(next);
            }
            fresh.extend_from_slice(rest.get(..own).unwrap_or_default());
            at += own;
            from += skip;
            next = Step {
                fresh: own,
                skip,
                copy: 0,
            };
            if found.is_none() {
                next.copy = tail;
                steps.push(next);
                break;
            }
        }
        Self {
            steps: steps.into(),
            fresh: fresh.into(),
        }
    }

    /// The pieces of the text, from those of its source.
    pub(crate) fn apply<'a>(&'a self, source: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::with_capacity(source.len() + 2 * self.steps.len());
        let mut source = Pieces {
            left: source.iter(),
            here: &[],
        };
        let mut fresh = &self.fresh[..];
        for step in &self.steps {
            let (own, rest) = fresh.split_at_checked(step.fresh).unwrap_or((fresh, &[]));
            fresh = rest;
            pieces.push(own);
            source.advance(step.skip, &mut |_| ());
            source.advance(step.copy, &mut |piece| pieces.push(piece));
        }
        pieces
    }

    /// The memory it takes, in bytes.
    pub(crate) fn bytes_held(&self) -> usize {
        self.fresh.len() + size_of_val(&*self.steps)
    }
}

impl Step {
    const NOTHING: Self = Self {
        fresh: 0,
        skip: 0,
        copy: 0,
    };
}

/// A text in pieces, read from its start to its end.
struct Pieces<'p, 'a> {
    left: std::slice::Iter<'p, &'a [u8]>,
    here: &'a [u8],
}

impl<'a> Pieces<'_, 'a> {
    fn advance(&mut self, mut len: usize, passed: &mut impl FnMut(&'a [u8])) {
        while len > 0 {
            if self.here.is_empty() {
                match self.left.next() {
                    Some(piece) => self.here = piece,
                    None => return,
                }
                continue;
            }
            let (piece, rest) = self.here.split_at(len.min(self.here.len()));
            passed(piece);
            self.here = rest;
            len -= piece.len();
        }
    }
}
