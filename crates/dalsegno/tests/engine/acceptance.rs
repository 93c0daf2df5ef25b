//! What is taken as JSON, compared with `serde_json` over mutated texts.
//!
//! A text is taken exactly where `serde_json` skips it as a value, if it is no deeper than the limit.
//! Where it is read into a `serde_json::Value`, three kinds of text are taken here and refused there:
//! deeper than 127 levels, lone surrogates, numbers beyond `f64`.

use dalsegno::fuzzing::{split_json, takes};
use dalsegno::{ErrorKind, MAX_DEPTH};
use proptest::prelude::*;

use crate::common::{effort, engine_on, memory};

/// Pieces that texts are made of and broken with.
const PIECES: [&str; 40] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\", "\"a\"", "\"turn\"", "1", "-", "0", ".", "e", "E+",
    " ", "\n", "\t", "\r", "true", "null", "false", "nul", "\\u", "\\ud800", "\\uDC00", "\\n",
    "\u{1}", "é", "\u{7f}", "[]", "{}", "{\"a\":", "[1,", "\"key\":", "12345678", "/", "NaN",
    "\u{feff}",
];

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(&PIECES[..]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat().into_bytes())
}

/// A text that is JSON.
fn json() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        "\"([ -!#-\\[\\]-~é漢]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}){0,40}\"",
        Just("true".to_owned()),
        Just("null".to_owned()),
    ];
    let value = scalar.prop_recursive(5, 60, 8, |inner| {
        let member = ("[a-c]{1,2}", inner.clone()).prop_map(|(k, v)| format!("\"{k}\" :{v}"));
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(|v| format!("[{}]", v.join(", "))),
            prop::collection::vec(member, 0..8).prop_map(|v| format!("{{{}}}", v.join(",\n"))),
        ]
    });
    value.prop_map(String::into_bytes)
}

/// JSON with a few bytes changed, left out, put in.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<prop::sample::Index>(),
        0..6_usize,
        any::<u8>(),
        pieces(),
    );
    (json(), prop::collection::vec(change, 0..3)).prop_map(|(mut text, changes)| {
        for (at, how, byte, piece) in changes {
            let at = at.index(text.len() + 1);
            match (how, text.get_mut(at)) {
                (0, Some(place)) => *place = byte,
                (1, Some(place)) => *place = PIECES[usize::from(byte) % PIECES.len()].as_bytes()[0],
                (2, Some(_)) => drop(text.remove(at)),
                (3, _) => text.truncate(at),
                _ => drop(text.splice(at..at, piece.into_iter().take(3)).count()),
            }
        }
        text
    })
}

/// Whether a text is taken that cannot be read as a value.
fn only_here(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let deep = text.matches(['[', '{']).count() > 127;
    deep || text.contains("\\u") || text.contains(['e', 'E']) || text.len() > 300
}

fn compare(text: &[u8]) {
    let engine = engine_on(memory());
    let taken = match engine.save_json("s", text.to_vec()).commit() {
        Ok(saved) => {
            let restored = engine.restore(&saved.id.to_string()).unwrap();
            assert!(restored.text() == text, "another text");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
            assert!(engine.sessions().unwrap().is_empty());
            false
        }
    };
    assert!(text.len() < MAX_DEPTH, "deep texts are looked at elsewhere");
    assert_eq!(taken, takes(text));
    let value = serde_json::from_slice::<serde_json::Value>(text).is_ok();
    assert!(taken || !value, "refused, and a value");
    assert!(value || !taken || only_here(text), "taken, and no value");
}

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: effort(3_000, 300_000),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn made_of_pieces(text in pieces()) {
        compare(&text);
    }

    #[test]
    fn broken_here_and_there(text in broken()) {
        compare(&text);
    }

    /// On top of a state, and of one that is nearly the same: taken or refused as by itself.
    #[test]
    fn an_earlier_state_makes_no_difference(earlier in json(), text in broken(), share in any::<u8>()) {
        let both = [&[share][..], &earlier, &text].concat();
        split_json(&both);
        // The earlier state in full, and the text after it.
        let cut = (256 * earlier.len()).div_ceil(earlier.len() + text.len()).min(255);
        split_json(&[&[cut as u8][..], &earlier, &text].concat());
    }
}
