//! A session's document: the text as saved, cut into *items* and the *gaps* between them.
//!
//! Joined again in order, gap, item, gap, item … gap, the pieces are the text, byte for byte: keys,
//! punctuation and white space are gaps, values are items. Equal gaps that follow one another are
//! kept once with a count, so that a list of 500 messages has three gaps, not 501, and appending to
//! it changes a count.

pub(crate) mod component;
mod join;
mod list;
pub(crate) mod lookup;
pub(crate) mod outline;
mod pretty;
pub(crate) mod scan;
mod shared;
mod split;

use bytes::Bytes;

pub use list::List;
pub use pretty::pretty;
pub use scan::{MAX_DEPTH, MAX_SIZE};
pub use shared::DocumentBuilder;
pub use split::MAX_ITEMS;
pub(crate) use split::split;

/// Text between two items, and how many times in a row it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) times: u32,
    pub(crate) text: Bytes,
}

/// The text of a state, in pieces that share memory with the states before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Counts add up to one more than there are items.
    pub(crate) gaps: Vec<Gap>,
    pub(crate) items: Vec<Bytes>,
}

impl Document {
    /// No text at all, which is no document yet: what a first record builds on.
    pub(crate) fn nothing() -> Self {
        Self {
            gaps: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Whether gaps and items join: one gap more than items.
    pub(crate) fn joins(&self) -> bool {
        let gaps: u64 = self.gaps.iter().map(|gap| u64::from(gap.times)).sum();
        gaps == self.items.len() as u64 + 1
    }

    /// Whether this is the document of `text`.
    pub(crate) fn is_of(&self, text: &[u8]) -> bool {
        let mut rest = text;
        let mut pieces = self.pieces();
        let begins = pieces.all(|piece| match rest.strip_prefix(&piece[..]) {
            Some(after) => {
                rest = after;
                true
            }
            None => false,
        });
        begins && rest.is_empty()
    }

    /// The same document in memory of its own, so that it keeps alive nothing but itself.
    pub(crate) fn detached(&self) -> Self {
        let gaps = self.gaps.iter().map(|gap| &gap.text);
        let texts: Vec<&[u8]> = gaps.chain(&self.items).map(|text| &text[..]).collect();
        let mut memory = Bytes::from(texts.concat());
        let mut own = |text: &Bytes| memory.split_to(text.len());
        let gap = |gap: &Gap, text| Gap {
            times: gap.times,
            text,
        };
        Self {
            gaps: self.gaps.iter().map(|g| gap(g, own(&g.text))).collect(),
            items: self.items.iter().map(own).collect(),
        }
    }

    /// Adds `text` as the next gap, or counts it if it repeats the last.
    pub(crate) fn push_gap(&mut self, text: Bytes) {
        match self.gaps.last_mut() {
            Some(last) if last.text == text => last.times += 1,
            _ => self.gaps.push(Gap { times: 1, text }),
        }
    }

    /// The pieces in the order of the text.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        let gaps = self
            .gaps
            .iter()
            .flat_map(|gap| std::iter::repeat_n(&gap.text, gap.times as usize));
        let mut items = self.items.iter();
        gaps.flat_map(move |gap| std::iter::once(gap).chain(items.next()))
    }

    /// How many bytes of text the document has.
    #[must_use]
    pub fn text_len(&self) -> usize {
        let gaps = self.gaps.iter().map(|g| g.text.len() * g.times as usize);
        gaps.sum::<usize>() + self.items.iter().map(Bytes::len).sum::<usize>()
    }

    /// The text, joined.
    #[must_use]
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.text_len());
        for piece in self.pieces() {
            text.extend_from_slice(piece);
        }
        text
    }
}
