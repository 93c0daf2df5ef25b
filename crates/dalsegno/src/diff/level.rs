//! One level of a JSON value: its members or elements, each as the text it was saved as.
//!
//! Only what differs is ever looked into, so a level at a time is read, and nothing is built.

use std::collections::HashMap;

use super::change::Json;
use crate::document::component::{member_name, whole_value};
use crate::document::scan::{Scanner, Start, is_space};
use crate::error::Result;

/// A value, opened once.
#[derive(Debug)]
pub(crate) enum Level<'a> {
    /// Its members; of those of one name the last, which is the one that counts.
    Object(Vec<(String, &'a [u8])>),
    List(Vec<&'a [u8]>),
    Scalar,
}

impl<'a> Level<'a> {
    /// Opens `text`, one JSON value.
    ///
    /// # Errors
    /// `InvalidInput` where it is none.
    pub(crate) fn of(text: &'a [u8]) -> Result<Self> {
        let mut scan = Scanner::inside(text);
        scan.space();
        let (mut members, mut elements) = (Vec::new(), Vec::new());
        let list = match scan.start() {
            Start::Scalar => return Ok(Self::Scalar),
            start => start == Start::List,
        };
        let close = if list { b']' } else { b'}' };
        scan.space();
        let mut more = !scan.take(close);
        while more {
            let mut name = None;
            if !list {
                let start = scan.pos();
                scan.string()?;
                name = Some(member_name(text.get(start..scan.pos()).unwrap_or_default()));
                scan.space();
                scan.expect(b':', "':' after the member's name")?;
                scan.space();
            }
            let start = scan.pos();
            whole_value(&mut scan)?;
            let value = text.get(start..scan.pos()).unwrap_or_default();
            match name {
                Some(name) => members.push((name, value)),
                None => elements.push(value),
            }
            scan.space();
            more = !scan.take(close);
            if more {
                scan.expect(b',', "',' or the end of the list or object")?;
                scan.space();
            }
        }
        Ok(if list {
            Self::List(elements)
        } else {
            Self::Object(last_of_each(members))
        })
    }

    /// The member of that name, where this is an object.
    pub(crate) fn member(&self, name: &str) -> Option<&'a [u8]> {
        match self {
            Self::Object(members) => members.iter().find(|(n, _)| n == name).map(|(_, v)| *v),
            _ => None,
        }
    }
}

fn last_of_each(members: Vec<(String, &[u8])>) -> Vec<(String, &[u8])> {
    let mut last: HashMap<&str, usize> = HashMap::with_capacity(members.len());
    for (at, (name, _)) in members.iter().enumerate() {
        last.insert(name, at);
    }
    if last.len() == members.len() {
        return members;
    }
    let mut stay: Vec<usize> = last.into_values().collect();
    stay.sort_unstable();
    let mut all: Vec<Option<_>> = members.into_iter().map(Some).collect();
    stay.into_iter()
        .filter_map(|at| all.get_mut(at)?.take())
        .collect()
}

/// The text of a string value; of one that is no text (a lone surrogate), its spelling.
pub(crate) fn string(value: &[u8]) -> Option<String> {
    (value.first() == Some(&b'"')).then(|| member_name(value))
}

/// `text` without the white space between its tokens.
pub(super) fn compact(text: &[u8]) -> Json {
    Json(
        String::from_utf8(squeezed(text))
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
    )
}

/// The bytes of [`compact`].
pub(crate) fn squeezed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for byte in text {
        if quoted {
            quoted = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if is_space(*byte) {
            continue;
        } else {
            quoted = *byte == b'"';
        }
        out.push(*byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_level_is_opened() {
        let Level::Object(members) =
            Level::of(br#" {"a" : [1, {"b":2}], "c":{} ,"a":"x"} "#).unwrap()
        else {
            unreachable!()
        };
        let names: Vec<_> = members.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        assert_eq!(
            names,
            [("c", &b"{}"[..]), ("a", b"\"x\"")],
            "the last of a name counts"
        );
        let Level::List(elements) = Level::of(b"[1, [2] ,\"]\"]").unwrap() else {
            unreachable!()
        };
        assert_eq!(elements, [&b"1"[..], b"[2]", b"\"]\""]);
        assert!(matches!(Level::of(b"-1.5e3"), Ok(Level::Scalar)));
        assert!(matches!(Level::of(b"[ ]"), Ok(Level::List(e)) if e.is_empty()));
    }

    #[test]
    fn compact_text_keeps_strings() {
        assert_eq!(
            compact(b"{ \"a b\\\" c\" :\n [ 1.50 , \"\\\\\" ] }").0,
            "{\"a b\\\" c\":[1.50,\"\\\\\"]}"
        );
    }
}
