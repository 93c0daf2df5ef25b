//! JSON text: what is taken, and that it comes back.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::document::lookup::Lookup;
use crate::document::{Document, MAX_DEPTH, component, pretty, scan, split};

/// The first byte says how much of the rest is an earlier state; what follows is a text.
pub fn split_json(data: &[u8]) {
    let Some((share, rest)) = data.split_first() else {
        return;
    };
    let (earlier, text) = rest.split_at(rest.len() * usize::from(*share) / 256);
    let alone = cut(text, None);
    let earlier = cut(earlier, None);
    if let Some(earlier) = &earlier {
        let with = cut(text, Some(earlier));
        assert_eq!(with.is_some(), alone.is_some(), "the earlier state decides");
    }
    let Some(document) = alone else { return };
    // The same text again is nothing new, whatever it was cut like.
    let again = cut(text, Some(&document)).unwrap();
    assert_eq!(again.to_text(), text);
    for part in component::components(text).unwrap() {
        assert!(takes(&text[part.value]), "a component is no JSON");
    }
    let shown = pretty(text);
    assert!(takes(&shown), "what is shown is no JSON");
    let dense = |text: &[u8]| -> Vec<u8> {
        text.iter()
            .copied()
            .filter(|b| !scan::is_space(*b))
            .collect()
    };
    assert_eq!(
        dense(&shown),
        dense(text),
        "what is shown is something else"
    );
}

/// Cuts a text and joins it again; `None` where it is refused. Compares with `serde_json`.
fn cut(text: &[u8], earlier: Option<&Document>) -> Option<Document> {
    let lookup = earlier.map(Lookup::new);
    let found = split(text, lookup.as_ref());
    let takes = takes(text);
    match found {
        Ok(found) => {
            assert!(takes, "taken, and not JSON");
            assert_eq!(found.document.to_text(), text, "cut and joined");
            assert_eq!(found.document.text_len(), text.len());
            // Names with escapes may be no text to `serde_json`, or another spelling of these two.
            if !text.contains(&b'\\') {
                assert_eq!(found.turn, turn_of(text), "the turn");
            }
            Some(found.document)
        }
        Err(error) => {
            assert_eq!(error.kind(), crate::ErrorKind::InvalidInput, "{error}");
            let deep = error.to_string().contains("nested deeper");
            assert!(!takes || deep, "refused, and JSON: {error}");
            assert!(!deep || depth(text) > MAX_DEPTH, "{error}");
            None
        }
    }
}

/// Whether `serde_json` takes it: a value that is skipped has no limit of depth, and numbers and
/// escapes are only looked at for their spelling.
pub fn takes(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).ok();
    text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// As deep as brackets go, strings left out.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut string, mut escape) = (0_usize, 0, false, false);
    for byte in text {
        match byte {
            _ if escape => escape = false,
            b'\\' if string => escape = true,
            b'"' => string = !string,
            b'[' | b'{' if !string => depth += 1,
            b']' | b'}' if !string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The turn that a text names, found in another way than the engine does.
pub fn turn_of(text: &[u8]) -> Option<i64> {
    let members = members(text)?;
    let turn = |name: &str| members.get(name)?.get().parse().ok();
    match members.contains_key("turn_count") {
        true => turn("turn_count").or_else(|| turn("turn")),
        false => turn("turn"),
    }
}

/// The members of a top-level object as `serde_json` finds them, the last of each name.
pub(super) fn members(text: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_slice(text).ok()
}
