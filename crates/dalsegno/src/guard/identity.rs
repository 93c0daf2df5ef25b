//! Which items are the same.

use crate::diff::level::{Level, squeezed, string};
use crate::error::Result;

use super::items::at;

/// Below so many levels only equal values are the same, or a hostile item would overflow the stack.
const DEEP: usize = 64;

/// What says which item it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    /// The value of the key, as it is meant.
    Key(Vec<u8>),
    /// The item itself, without white space between its tokens.
    Whole(Vec<u8>),
}

impl Identity {
    /// The identity of `item`; where it lacks the key, or the key says nothing (`null`, an empty text, a list or
    /// an object), the item itself.
    pub(super) fn of(item: &[u8], key: Option<&[String]>) -> Result<Self> {
        let value = match key {
            Some(steps) if item.first() == Some(&b'{') => at(item, steps)?,
            _ => None,
        };
        Ok(match value {
            Some(value) if !matches!(value.first(), None | Some(b'{' | b'[' | b'n')) => {
                match string(value) {
                    Some(text) if text.is_empty() => Self::Whole(squeezed(item)),
                    Some(text) => Self::Key([b"\"", text.as_bytes()].concat()),
                    None => Self::Key(value.to_vec()),
                }
            }
            _ => Self::Whole(squeezed(item)),
        })
    }
}

/// Whether both items say the same, whatever the white space.
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    a == b || squeezed(a) == squeezed(b)
}

/// Whether `now` is the object `was`, to which something was only added: members, elements at the ends of lists,
/// and more text behind one text of it, as while an answer is being written. So nothing of it is lost.
///
/// At least one member that says something must be as it was, and where digits go on, another number is meant:
/// `message 1` did not grow to `message 10`.
pub(super) fn grew(was: &[u8], now: &[u8]) -> bool {
    let mut growth = Growth::default();
    was.len() <= now.len()
        && was.first() == Some(&b'{')
        && now.first() == Some(&b'{')
        && growth.holds(was, now, 0)
        && growth.texts <= 1
        && growth.same > 0
}

#[derive(Default)]
struct Growth {
    /// How many texts became longer.
    texts: usize,
    /// How many values are as they were.
    same: usize,
}

impl Growth {
    fn holds(&mut self, was: &[u8], now: &[u8], depth: usize) -> bool {
        if was == now {
            self.same += usize::from(depth > 0);
            return true;
        }
        let (Ok(old), Ok(new)) = (Level::of(was), Level::of(now)) else {
            return false;
        };
        match (&old, &new) {
            (Level::Object(members), Level::Object(_)) if depth < DEEP => {
                members.iter().all(|(name, value)| {
                    let there = new.member(name);
                    there.is_some_and(|there| self.holds(value, there, depth + 1))
                })
            }
            (Level::List(before), Level::List(after)) if depth < DEEP => {
                before.len() <= after.len()
                    && before
                        .iter()
                        .zip(after)
                        .all(|(a, b)| self.holds(a, b, depth + 1))
            }
            _ => match (string(was), string(now)) {
                (Some(before), Some(after)) => self.text(&before, &after),
                _ => was == b"null" || squeezed(was) == squeezed(now),
            },
        }
    }

    fn text(&mut self, before: &str, after: &str) -> bool {
        let Some(more) = after.strip_prefix(before) else {
            return false;
        };
        if more.is_empty() {
            self.same += 1;
            return true;
        }
        self.texts += 1;
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        !(digit(before.chars().next_back()) && digit(more.chars().next()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(item: &str, key: &[&str]) -> Identity {
        let key: Vec<String> = key.iter().map(ToString::to_string).collect();
        Identity::of(item.as_bytes(), (!key.is_empty()).then_some(&key[..])).unwrap()
    }

    #[test]
    fn items_are_known_by_their_key_else_by_all_they_say() {
        assert_eq!(
            of("{\"id\":\"a\",\"x\":1}", &["id"]),
            of("{ \"id\":\"\\u0061\"}", &["id"])
        );
        assert_ne!(of("{\"id\":\"1\"}", &["id"]), of("{\"id\":1}", &["id"]));
        assert_eq!(
            of("{\"i\":{\"id\":7},\"x\":1}", &["i", "id"]),
            of("{\"i\":{\"id\":7}}", &["i", "id"])
        );
        assert_eq!(
            of("{\"a\": [1, \"x y\"]}", &[]),
            of("{\"a\":[1,\"x y\"] }", &[])
        );
        for nothing in [
            "{\"id\":null,\"x\":1}",
            "{\"id\":\"\",\"x\":1}",
            "{\"id\":{},\"x\":1}",
            "{\"x\":1}",
            "[1]",
            "\"id\"",
        ] {
            assert!(
                matches!(of(nothing, &["id"]), Identity::Whole(_)),
                "{nothing}"
            );
        }
    }

    #[test]
    fn what_grew_and_what_is_another_item() {
        let grew = |a: &str, b: &str| grew(a.as_bytes(), b.as_bytes());
        let says = |text: &str| format!("{{\"role\":\"assistant\",\"content\":\"{text}\"}}");
        assert!(grew(&says("Hel"), &says("Hello")) && grew(&says(""), &says("Hello")));
        assert!(grew(
            &says("Hel"),
            "{\"content\":\"Hello\",\"role\":\"assistant\",\"usage\":{\"n\":3}}"
        ));
        assert!(grew(
            "{\"role\":\"a\",\"parts\":[1],\"x\":null}",
            "{\"role\":\"a\",\"parts\":[1, 2],\"x\":5}"
        ));
        for (was, now) in [
            (says("Hello"), says("Hel")),
            (says("Hello"), says("Bye, all of you")),
            (says("message 1"), says("message 10")),
            (
                says("x"),
                "{\"role\":\"assistant\",\"n\":1234567}".to_owned(),
            ),
            ("\"a\"".to_owned(), "\"ab\"".to_owned()),
            (
                "{\"text\":\"a\"}".to_owned(),
                "{\"text\":\"ab\"}".to_owned(),
            ),
            (
                "{\"a\":\"x\",\"b\":\"y\",\"c\":1}".to_owned(),
                "{\"a\":\"xx\",\"b\":\"yy\",\"c\":1}".to_owned(),
            ),
            (
                "{\"a\":1,\"c\":1}".to_owned(),
                "{\"a\":10,\"c\":1}".to_owned(),
            ),
        ] {
            assert!(!grew(&was, &now), "{was} {now}");
        }
    }
}
