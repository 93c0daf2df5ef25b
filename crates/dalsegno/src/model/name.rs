//! What sessions and snapshots may be called.

use crate::error::{Error, Result};

/// The longest name, in characters.
pub const MAX_NAME: usize = 255;

/// Checks a session's name: parts separated by `/`, as in `bot/42`.
///
/// # Errors
/// `InvalidInput` where it is empty or longer than [`MAX_NAME`] characters, has control characters,
/// or has an empty part, `.` or `..` (names become paths when sessions are watched or exported).
pub fn check_session_name(name: &str) -> Result<()> {
    check("session", name)?;
    if name.split('/').any(|part| part.is_empty() || part == ".") {
        return Err(Error::invalid(format!(
            "the session name '{name}' has an empty part or '.' between slashes; use a name like bot/42"
        )));
    }
    Ok(())
}

/// Checks a snapshot's name, such as `before the boss fight`.
///
/// # Errors
/// `InvalidInput` where it is empty or longer than [`MAX_NAME`] characters, has control characters,
/// has `..` as a part, has an `@` or is `latest` (which references are made of).
pub fn check_snapshot_name(name: &str) -> Result<()> {
    check("snapshot", name)?;
    if name.contains('@') || name == "latest" {
        let way = if name.contains('@') {
            "one without '@'"
        } else {
            "another"
        };
        return Err(Error::invalid(format!(
            "the snapshot name '{}' would read as a reference like SESSION@latest; choose {way}",
            name.escape_debug()
        )));
    }
    Ok(())
}

fn check(what: &str, name: &str) -> Result<()> {
    let problem = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.chars().count() > MAX_NAME {
        let shown: String = name.chars().take(20).collect();
        return Err(Error::invalid(format!(
            "the {what} name '{shown}…' has {} characters; the limit is {MAX_NAME}",
            name.chars().count()
        )));
    } else if name.chars().any(char::is_control) {
        "has control characters".to_owned()
    } else if name.split(['/', '\\']).any(|part| part == "..") {
        "has '..' as a part".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::invalid(format!(
        "the {what} name '{}' {problem}; choose another",
        name.escape_debug()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_use_are_fine() {
        for name in [
            "demo",
            "bot/42",
            "a/b/c",
            "chat/2026-11-20 10:00",
            "Ärger zu Hause",
            "x..y",
            &"n".repeat(255),
        ] {
            assert!(check_session_name(name).is_ok(), "{name}");
            assert!(check_snapshot_name(name).is_ok(), "{name}");
        }
        assert!(check_snapshot_name("a//b").is_ok());
        assert!(check_session_name("mail@home").is_ok());
        assert!(check_snapshot_name("bot/42@latest").is_err());
        let said = check_snapshot_name("latest").unwrap_err().to_string();
        assert!(said.ends_with("; choose another"), "{said}");
        assert!(check_snapshot_name("latest").is_err());
    }

    #[test]
    fn names_that_would_hurt_are_refused_with_the_reason() {
        let long = "n".repeat(10_000);
        for (name, why) in [
            ("", "empty"),
            ("  ", "empty"),
            ("a/../b", ".."),
            ("..", ".."),
            ("a\nb", "control"),
            ("a\u{9b}b", "control"),
            (&long, "limit is 255"),
        ] {
            for refused in [check_session_name(name), check_snapshot_name(name)] {
                let message = refused.unwrap_err().to_string();
                assert!(message.contains(why) && message.len() < 200, "{message}");
            }
        }
        for name in ["/a", "a/", "a//b", "./a"] {
            assert!(check_session_name(name).is_err(), "{name}");
        }
    }
}
