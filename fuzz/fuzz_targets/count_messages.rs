#![no_main]

use dalsegno_hermes::MessageCounter;

/// The first byte says in which pieces the rest comes; it makes no difference, and what serde_json takes counts the
/// same.
fn count_messages(data: &[u8]) {
    let Some((size, text)) = data.split_first() else {
        return;
    };
    let mut whole = MessageCounter::new();
    whole.feed(text);
    let whole = whole.finish();
    let mut pieces = MessageCounter::new();
    for piece in text.chunks(usize::from(*size).max(1)) {
        pieces.feed(piece);
    }
    assert_eq!(pieces.finish(), whole);
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(text) {
        // serde_json's own limit of nesting is far lower; only whole numbers are limited here and not there.
        let messages = value.get("messages").and_then(|list| list.as_array());
        if text.len() <= dalsegno_hermes::MAX_DIGITS {
            assert_eq!(whole.ok(), messages.map(|list| list.len() as u64));
        }
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| count_messages(data));
