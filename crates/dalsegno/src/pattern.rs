//! Patterns of sessions' names: which sessions a rule is for, and which of several rules is for one.

use std::cmp::Reverse;

use glob::{MatchOptions, Pattern};

use crate::error::{Error, Result};
use crate::model::check_session_name;

/// As file names are matched, but that nothing is hidden.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The characters that patterns are made with.
const WILD: [char; 3] = ['*', '?', '['];

/// Checks that `pattern` can match a session; `what` it is the pattern of (`policy`) is named in the message.
///
/// # Errors
/// `InvalidInput`: the message says what to write.
pub(crate) fn check(pattern: &str, what: &str) -> Result<()> {
    // Where no session can have such a name, the rule would silently do nothing.
    check_session_name(pattern).map_err(|e| e.context(format!("the pattern of a {what}")))?;
    Pattern::new(pattern).map_err(|e| {
        Error::invalid(format!(
            "the {what} for '{}': the pattern is wrong: {}; write * or ? for a part of a name, ** alone between \
             slashes for any parts, [[] for a bracket",
            pattern.escape_debug(),
            e.msg
        ))
    })?;
    Ok(())
}

/// Whether `pattern` is for `session`. One that [`check`] refuses is for no session but the one of exactly
/// this name.
pub(crate) fn matches(pattern: &str, session: &str) -> bool {
    pattern == session
        || Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(session, OPTIONS))
}

/// Of the `rules` whose pattern is for `session`, the most specific.
///
/// The session's exact name comes first, then the pattern with the most characters that are no wildcards
/// (`bot/4*` before `bot/*`), then the one with fewer `**` (`bot/*` before `bot/**`), then the one that sorts
/// first. Of equal patterns it is the first given.
pub(crate) fn choose<'a, T>(
    rules: &'a [T],
    pattern: impl Fn(&T) -> &str,
    session: &str,
) -> Option<&'a T> {
    rules
        .iter()
        .filter(|rule| matches(pattern(rule), session))
        .min_by(|a, b| {
            let (a, b) = (pattern(a), pattern(b));
            let by = |pattern| Reverse(specificity(pattern, session));
            by(a).cmp(&by(b)).then_with(|| a.cmp(b))
        })
}

/// Larger where more is said of the name.
fn specificity(pattern: &str, session: &str) -> (bool, usize, Reverse<usize>) {
    (
        pattern == session,
        literals(pattern),
        Reverse(pattern.split('/').filter(|p| *p == "**").count()),
    )
}

/// The characters of a pattern that are those of the name.
fn literals(pattern: &str) -> usize {
    let mut rest = pattern;
    let mut count = 0;
    while let Some(first) = rest.chars().next() {
        let len = if first == '[' {
            // A bracket may be the first character within: `[]]`, `[!]]`.
            let from = if rest.starts_with("[!") { 3 } else { 2 };
            let end = rest.char_indices().skip(from).find(|(_, c)| *c == ']');
            end.map_or(rest.len(), |(at, _)| at + 1)
        } else {
            count += usize::from(!WILD.contains(&first));
            first.len_utf8()
        };
        rest = rest.get(len..).unwrap_or_default();
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_literal() {
        for (pattern, count) in [
            ("**", 0),
            ("bot/*", 4),
            ("b?t", 2),
            ("a[bc]d", 2),
            ("a[]]d", 2),
            ("a[!]]d", 2),
            ("a[ä]ö", 2),
            ("a[b", 1),
        ] {
            assert_eq!(literals(pattern), count, "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_is_counted(pattern in "[a/*?\\[\\]!\\-]{0,30}") {
            proptest::prop_assert!(literals(&pattern) <= pattern.len());
        }
    }
}
