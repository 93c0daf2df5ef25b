//! The way to a list in a state, as [differences](crate::Difference) are named too: `queue.upcoming`,
//! `bank["tea room"].items`.

use crate::document::component::member_name;
use crate::document::scan::Scanner;
use crate::error::{Error, Result};

/// The path of a state that is a list itself.
const ROOT: &str = ".";

/// More steps than this are no place that people name.
const MAX_STEPS: usize = 64;

/// The members on the way; none for the state itself.
///
/// # Errors
/// `InvalidInput`: the message has the path and how to write one.
pub(super) fn parse(path: &str) -> Result<Vec<String>> {
    if path == ROOT {
        return Ok(Vec::new());
    }
    let odd = |why: &str| {
        Error::invalid(format!(
            "'{}' is no path: {why}; write members with dots between them (queue.upcoming), one with a dot or \
             space in its name in brackets and quotes ([\"tea room\"].items), . for a state that is a list itself",
            path.escape_debug()
        ))
    };
    let mut names = Vec::new();
    let mut rest = path;
    loop {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut scan = Scanner::inside(quoted.as_bytes());
            scan.string()
                .map_err(|_| odd("after [ a name in quotes is missing"))?;
            let (name, after) = quoted.split_at(scan.pos());
            names.push(member_name(name.as_bytes()));
            rest = after
                .strip_prefix(']')
                .ok_or_else(|| odd("after the quotes ] is missing"))?;
        } else {
            let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() {
                return Err(odd("a name is missing"));
            }
            names.push(name.to_owned());
            rest = after;
        }
        if names.len() > MAX_STEPS {
            return Err(odd("it has more than 64 steps"));
        }
        if rest.is_empty() {
            return Ok(names);
        }
        match rest.strip_prefix('.') {
            Some(after) if !after.starts_with('[') => rest = after,
            None if rest.starts_with('[') => {}
            _ => return Err(odd("between names one dot is needed, before [ none")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        for (path, names) in [
            ("messages", &["messages"][..]),
            ("queue.upcoming", &["queue", "upcoming"]),
            (
                "queue[\"up coming\"].x[\"\"]",
                &["queue", "up coming", "x", ""],
            ),
            ("[\"a.b\"]", &["a.b"]),
            ("[\"a\\\"]\"].ü b", &["a\"]", "ü b"]),
            (".", &[]),
        ] {
            assert_eq!(parse(path).unwrap(), names, "{path}");
        }
    }

    #[test]
    fn what_is_refused_says_what_to_write() {
        for (path, why) in [
            ("", "a name is missing"),
            ("a.", "a name is missing"),
            (".a", "a name is missing"),
            ("a..b", "a name is missing"),
            ("a[0]", "in quotes is missing"),
            ("a[\"b\"", "] is missing"),
            ("a[\"b\"]c", "one dot is needed"),
            ("a.[\"b\"]", "before [ none"),
            ("a\"b", "one dot is needed"),
            (&"a.".repeat(100), "more than 64"),
        ] {
            let error = parse(path).unwrap_err().to_string();
            assert!(
                error.contains(why) && error.contains("queue.upcoming"),
                "{error}"
            );
        }
    }
}
