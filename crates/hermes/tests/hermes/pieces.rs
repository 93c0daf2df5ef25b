//! It makes no difference in which pieces a text comes.

use dalsegno_hermes::{MessageCounter, Unreadable};
use proptest::prelude::*;

use crate::texts;

fn whole(text: &[u8]) -> Result<u64, Unreadable> {
    let mut counter = MessageCounter::new();
    counter.feed(text);
    counter.finish()
}

fn in_pieces(text: &[u8], lengths: impl IntoIterator<Item = usize>) -> Result<u64, Unreadable> {
    let mut counter = MessageCounter::new();
    let mut rest = text;
    for length in lengths {
        let (piece, after) = rest.split_at(length.min(rest.len()));
        counter.feed(piece);
        rest = after;
    }
    counter.feed(rest);
    counter.finish()
}

#[test]
fn byte_by_byte_as_in_one() {
    for text in texts::all(5) {
        let bytes = std::iter::repeat_n(1, text.len());
        assert_eq!(
            in_pieces(&text, bytes),
            whole(&text),
            "{}",
            String::from_utf8_lossy(&text)
        );
    }
}

proptest! {
    #[test]
    fn in_any_pieces_as_in_one(seed in 0_u64..1_000_000, lengths in prop::collection::vec(0_usize..90, 0..60)) {
        let texts = texts::some(seed, 20);
        for text in texts {
            prop_assert_eq!(in_pieces(&text, lengths.iter().copied()), whole(&text));
        }
    }

    /// What another parser takes counts as it says; what that one refuses is at most more of Python's.
    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let counted = whole(&bytes);
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes) {
            let messages = value.get("messages").and_then(|list| list.as_array());
            prop_assert_eq!(counted.ok(), messages.map(|list| list.len() as u64));
        }
    }
}
