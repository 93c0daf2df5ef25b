//! Whether an item that went and one that came are the same thing.

use std::collections::HashSet;

use super::level::Level;

/// The members that say which thing an object is, the surest first. What a Lavalink track is stands in
/// its `info`.
pub(super) const KEYS: [&str; 6] = [
    "id",
    "message_id",
    "track_id",
    "uuid",
    "identifier",
    "encoded",
];

/// Which thing `item` is: the first of the keys that it has, with its value.
pub(super) fn of(item: &[u8]) -> Option<(usize, &[u8])> {
    of_level(&Level::of(item).ok()?)
}

/// As [`of`], of an object that is open already.
fn of_level<'a>(level: &Level<'a>) -> Option<(usize, &'a [u8])> {
    let info = level.member("info").and_then(|info| Level::of(info).ok());
    let here = |name: &str| level.member(name).or_else(|| info.as_ref()?.member(name));
    KEYS.iter().enumerate().find_map(|(rank, name)| {
        let value = here(name)?;
        let says = !matches!(value.first(), None | Some(b'{' | b'[' | b'n')) && value != b"\"\"";
        says.then_some((rank, value))
    })
}

/// Whether two objects say that they are two things.
pub(super) fn are_two(old: &Level<'_>, new: &Level<'_>) -> bool {
    matches!((of_level(old), of_level(new)), (Some(old), Some(new)) if old != new)
}

/// Whether a change of the member `name`, or of what is in it, may make its object another thing.
pub(super) fn decides(name: &str) -> bool {
    name == "info" || KEYS.contains(&name)
}

/// Whether two items that stand at the same place may be one that changed: they are of one kind, and
/// nothing says that they are two.
pub(super) fn alike(old: &[u8], new: &[u8]) -> bool {
    let (Ok(was), Ok(is)) = (Level::of(old), Level::of(new)) else {
        return false;
    };
    match (&was, &is) {
        (Level::Object(a), Level::Object(b)) => {
            let names: HashSet<&str> = a.iter().map(|(name, _)| name.as_str()).collect();
            let shared = b.iter().filter(|(name, _)| names.contains(name.as_str()));
            2 * shared.count() >= a.len().max(b.len()) && !are_two(&was, &is)
        }
        (Level::List(_), Level::List(_)) => true,
        (Level::Scalar, Level::Scalar) => kind(old) == kind(new),
        _ => false,
    }
}

fn kind(scalar: &[u8]) -> u8 {
    match scalar.first() {
        Some(b't' | b'f') => b'b',
        Some(b'-' | b'0'..=b'9') => b'0',
        Some(other) => *other,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_known_by_their_keys() {
        assert_eq!(of(b"{\"encoded\":\"Q\",\"id\":7}"), Some((0, &b"7"[..])));
        assert_eq!(
            of(b"{\"encoded\":\"Q\",\"info\":{\"identifier\":\"x\"}}"),
            Some((4, &b"\"x\""[..]))
        );
        for nothing in [
            "{\"id\":null}",
            "{\"id\":{}}",
            "{\"title\":\"x\"}",
            "[1]",
            "7",
        ] {
            assert_eq!(of(nothing.as_bytes()), None);
        }
    }

    #[test]
    fn what_may_be_one_thing() {
        let alike = |a: &str, b: &str| super::alike(a.as_bytes(), b.as_bytes());
        assert!(alike(
            "{\"role\":\"a\",\"content\":\"x\"}",
            "{\"role\":\"a\",\"content\":\"y\"}"
        ));
        assert!(
            !alike("{\"id\":1,\"x\":1}", "{\"id\":2,\"x\":1}"),
            "two things"
        );
        assert!(!alike("{\"a\":1}", "{\"b\":1}"));
        assert!(alike("1", "-2") && alike("true", "false") && !alike("1", "\"1\""));
        assert!(alike("[1]", "[]") && !alike("[1]", "{}"));
    }
}
