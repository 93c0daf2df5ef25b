//! JSON lines as one JSON text, so that the engine can keep them, and back again, byte for byte.
//!
//! The text is `[`, the file's bytes with a comma before each record but the first, and `]`. Records begin
//! at the beginning of a line, so each such comma stands right behind a line feed; no line of the file
//! begins with a comma of its own, because then it would be no record. Line ends of any kind, blank
//! lines and spaces are white space between values and stay where they are.

use memchr::{memchr, memchr_iter, memchr2};
use twox_hash::XxHash3_128;

use dalsegno::{Error, ErrorKind, Result};

/// The beginning of a file of which is known that it is whole lines, each a record or blank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checked {
    len: usize,
    hash: u128,
}

/// The JSON text of a file of JSON lines.
///
/// # Errors
/// `InvalidInput` where a line is not one whole value, with the line's number. What is left unchecked is
/// whether each value is JSON to the letter: the engine checks the text.
pub fn to_json(lines: &[u8]) -> Result<Vec<u8>> {
    with_checked(lines, None).map(|(text, _)| text)
}

/// As [`to_json`], but what stands in `known` is not checked again where it is still the same.
pub(crate) fn with_checked(lines: &[u8], known: Option<&Checked>) -> Result<(Vec<u8>, Checked)> {
    let known = known.filter(|known| {
        let there = lines.get(..known.len);
        there.is_some_and(|there| XxHash3_128::oneshot(there) == known.hash)
    });
    let skip = known.map_or(0, |known| known.len);
    let (same, new) = lines.split_at(skip.min(lines.len()));
    let mut text = Vec::with_capacity(lines.len() + lines.len() / 64 + 64);
    text.push(b'[');
    let mut begun = false;
    for line in Lines(same) {
        put(&mut text, line, &mut begun);
    }
    let mut whole = same.len();
    for line in Lines(new) {
        check(line).map_err(|why| {
            let before = lines.get(..whole).unwrap_or_default();
            let number = memchr_iter(b'\n', before).count() + 1;
            Error::new(ErrorKind::InvalidInput, format!("line {number} {why}"))
        })?;
        put(&mut text, line, &mut begun);
        if line.ends_with(b"\n") {
            whole += line.len();
        }
    }
    text.push(b']');
    let checked = Checked {
        len: whole,
        hash: XxHash3_128::oneshot(lines.get(..whole).unwrap_or_default()),
    };
    Ok((text, checked))
}

fn put(text: &mut Vec<u8>, line: &[u8], begun: &mut bool) {
    let record = !line.trim_ascii_start().is_empty();
    if record && std::mem::replace(begun, true) {
        text.push(b',');
    }
    text.extend_from_slice(line);
}

/// The file of JSON lines that [`to_json`] made `text` of.
///
/// # Errors
/// `InvalidInput` where it made no such text.
pub fn from_json(text: &[u8]) -> Result<Vec<u8>> {
    let inner = text
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
        .ok_or_else(no_lines)?;
    let mut lines = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(end) = memchr(b'\n', rest) {
        let (line, after) = rest.split_at(end + 1);
        lines.extend_from_slice(line);
        rest = after.strip_prefix(b",").unwrap_or(after);
    }
    lines.extend_from_slice(rest);
    // Only what would be kept as that text is what it was made of.
    if to_json(&lines)? == text {
        Ok(lines)
    } else {
        Err(no_lines())
    }
}

fn no_lines() -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        "the state is not of a file of JSON lines; restore it as JSON",
    )
}

/// Lines with their line feeds.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr(b'\n', self.0).map_or(self.0.len(), |at| at + 1);
        let (line, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(line)
    }
}

/// Refuses a line that would not be one element of the list: one that opens what it does not close, closes what
/// it did not open, or has a comma outside of everything. Says which.
fn check(line: &[u8]) -> Result<(), &'static str> {
    let mut depth = 0_usize;
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = end_of_string(after).ok_or("ends within a string")?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1).ok_or("closes what it does not open")?;
            }
            b',' if depth == 0 => return Err("has more than one value"),
            _ => {}
        }
    }
    if depth > 0 {
        return Err("ends within an object or a list");
    }
    Ok(())
}

/// What follows a string whose first quote is gone.
fn end_of_string(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    loop {
        let at = memchr2(b'"', b'\\', rest)?;
        let escape = rest.get(at) == Some(&b'\\');
        rest = rest.get(at + 1 + usize::from(escape)..)?;
        if !escape {
            return Some(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn engine() -> dalsegno::Engine {
        let store = dalsegno::store::MemoryStore::new(&dalsegno::clock::SystemClock);
        dalsegno::Options::default().on(std::sync::Arc::new(store))
    }

    #[test]
    fn lines_become_a_list_and_come_back() {
        for (lines, text) in [
            ("", "[]"),
            ("\n\n", "[\n\n]"),
            ("1", "[1]"),
            ("1\n", "[1\n]"),
            ("1\n2\n", "[1\n,2\n]"),
            ("\r\n1\r\n\r\n \t2 \r\n3", "[\r\n1\r\n\r\n, \t2 \r\n,3]"),
            ("{\"a\":\"}\\\"\"}\n[]\n", "[{\"a\":\"}\\\"\"}\n,[]\n]"),
        ] {
            assert_eq!(to_json(lines.as_bytes()).unwrap(), text.as_bytes());
            assert_eq!(from_json(text.as_bytes()).unwrap(), lines.as_bytes());
        }
    }

    #[test]
    fn what_is_no_line_of_json_is_refused_with_its_number() {
        for (lines, said) in [
            ("1\n{\"a\":1\n}\n", "line 2 ends within an object"),
            ("1\n2\n\"abc", "line 3 ends within a string"),
            ("1\n\"abc\n\"", "line 2 ends within a string"),
            ("1,2\n", "line 1 has more than one value"),
            (",1\n", "line 1 has more than one value"),
            ("1\n]\n[\n", "line 2 closes"),
            ("\"a\\", "line 1 ends within a string"),
        ] {
            let refused = to_json(lines.as_bytes()).unwrap_err();
            assert!(refused.to_string().contains(said), "{refused}");
        }
        for text in ["{}", "[1,2]", "[1\n2]", "[\n,1]", "[1\n,2\n,]", "["] {
            from_json(text.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn what_was_checked_is_only_believed_while_it_is_the_same() {
        let (_, checked) = with_checked(b"1\n2\n3", None).unwrap();
        assert_eq!(checked.len, 4);
        let (text, more) = with_checked(b"1\n2\n3\n4\n", Some(&checked)).unwrap();
        assert_eq!((text.as_slice(), more.len), (&b"[1\n,2\n,3\n,4\n]"[..], 8));
        let refused = with_checked(b"1\n{\n3\n4\n", Some(&checked)).unwrap_err();
        assert!(refused.to_string().starts_with("line 2"), "{refused}");
        let refused = with_checked(b"1\n2\n{\n", Some(&checked)).unwrap_err();
        assert!(refused.to_string().starts_with("line 3"), "{refused}");
        // Shorter than what was checked.
        assert_eq!(with_checked(b"1\n", Some(&more)).unwrap().0, b"[1\n]");
    }

    fn part() -> impl Strategy<Value = String> {
        let parts = [
            "1",
            "-2.5e3",
            "\"a\"",
            "\"\\\"\\n,\"",
            "{}",
            "[]",
            "{\"k\": [1, 2]}",
            "[\"\\\\\", {}]",
            "null",
            "\n",
            "\r\n",
            "\n\n",
            " ",
            "\t",
            "\r",
            ",",
            "{",
            "}",
            "[",
            "]",
            "\"",
            "\\",
            "\u{1}",
            "ä",
            "x",
        ];
        proptest::sample::select(parts.map(str::to_owned).to_vec())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn kept_lines_come_back_byte_for_byte_and_each_is_a_value(
            parts in prop::collection::vec(part(), 0..12),
            tail in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let mut lines = parts.concat().into_bytes();
            lines.extend(tail);
            let Ok(text) = to_json(&lines) else {
                return Ok(());
            };
            let engine = engine();
            let all_values = lines.split(|byte| *byte == b'\n').all(|line| {
                line.trim_ascii().is_empty() && !line.contains(&b'\x0c')
                    || serde_json::from_slice::<serde_json::Value>(line).is_ok()
            });
            match engine.save_json("s", text).commit() {
                Ok(saved) => {
                    prop_assert!(all_values);
                    let kept = engine.restore(&saved.id.to_string()).unwrap();
                    prop_assert_eq!(from_json(kept.text()).unwrap(), lines);
                }
                Err(_) => prop_assert!(!all_values),
            }
        }

        #[test]
        fn a_check_that_goes_on_finds_what_a_whole_one_finds(
            parts in prop::collection::vec(part(), 0..8),
            more in prop::collection::vec(part(), 0..8),
        ) {
            let before = parts.concat().into_bytes();
            let after = [&before[..], more.concat().as_bytes()].concat();
            if let Ok((_, checked)) = with_checked(&before, None) {
                let on = with_checked(&after, Some(&checked)).map_err(|e| e.to_string());
                prop_assert_eq!(on, with_checked(&after, None).map_err(|e| e.to_string()));
            }
        }
    }
}
