//! The session that a file is kept as, and whether its text is JSON or JSON lines.

use std::path::{Component, Path};

use dalsegno::{Error, ErrorKind, Result, check_session_name};

use crate::selection::Selection;

/// How a file's text becomes JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// It is JSON.
    Json,
    /// Each line is a JSON value: see [`lines`](crate::lines).
    Jsonl,
}

impl Format {
    /// That of a file, by its name: JSON lines are in `.jsonl` and `.ndjson`.
    #[must_use]
    pub fn of(file: &Path) -> Self {
        match file.extension().and_then(|end| end.to_str()) {
            Some("jsonl" | "ndjson") => Self::Jsonl,
            _ => Self::Json,
        }
    }

    /// As metadata has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
        }
    }
}

/// The session of the file at `relative`, a path below the watched folder: the path without `.json`, behind the
/// prefix. Any other ending stays, so that `a.json` and `a.jsonl` are two sessions, `a` and `a.jsonl`; and
/// `.json` stays where a file without it would be taken for a session file of its own.
///
/// # Errors
/// `InvalidInput` where that can be no session's name.
pub fn session_name(selection: &Selection, prefix: &str, relative: &Path) -> Result<String> {
    let mut parts = Vec::new();
    for part in relative.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str().ok_or_else(not_utf_8)?),
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "the path leads elsewhere",
                ));
            }
        }
    }
    let whole = parts.join("/");
    let name = match whole.strip_suffix(".json") {
        Some(short) if !short.is_empty() && !selection.takes(Path::new(short)) => short,
        _ => &whole,
    };
    let name = if prefix.is_empty() {
        name.to_owned()
    } else {
        format!("{prefix}/{name}")
    };
    check_session_name(&name)?;
    Ok(name)
}

fn not_utf_8() -> Error {
    let message =
        "the file's path is not UTF-8, so that no session can be named after it; rename it";
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sessions_are_named_after_their_files() {
        let usual = Selection::default();
        for (path, prefix, name) in [
            ("a.json", "", "a"),
            ("chats/a.json", "", "chats/a"),
            ("chats/a.json", "bot/x", "bot/x/chats/a"),
            ("a.jsonl", "", "a.jsonl"),
            ("a.ndjson", "", "a.ndjson"),
            ("a.jsonl.json", "", "a.jsonl.json"),
            ("a.json.json", "", "a.json.json"),
            ("a.b.json", "", "a.b"),
        ] {
            assert_eq!(session_name(&usual, prefix, Path::new(path)).unwrap(), name);
        }
        let states = Selection::new(&["*.state".to_owned(), "*.json".to_owned()], &[]).unwrap();
        let name = |path| session_name(&states, "", Path::new(path)).unwrap();
        assert_eq!(
            (name("a.state"), name("a.state.json")),
            ("a.state".to_owned(), "a.state.json".to_owned())
        );
    }

    #[test]
    fn names_that_no_session_can_have_are_refused_with_the_reason() {
        use std::os::unix::ffi::OsStrExt;
        let usual = Selection::default();
        let long = format!("{}.json", "n".repeat(256));
        let refused = |path: &Path| session_name(&usual, "", path).unwrap_err().to_string();
        assert!(refused(Path::new(&long)).contains("limit is 255"));
        assert!(refused(Path::new("a\nb.json")).contains("control"));
        assert!(refused(Path::new("../a.json")).contains("elsewhere"));
        let bytes = std::ffi::OsStr::from_bytes(b"\xff.json");
        assert!(refused(Path::new(bytes)).contains("UTF-8"));
    }

    proptest! {
        #[test]
        fn no_two_files_share_a_session(
            paths in prop::collection::hash_set("([ab]/)?[ab](\\.json|\\.jsonl|\\.x){0,3}", 2..40),
            all in any::<bool>(),
        ) {
            let include = if all { vec!["*".to_owned()] } else { Vec::new() };
            let selection = Selection::new(&include, &[]).unwrap();
            let mut names = HashMap::new();
            for path in paths.iter().filter(|path| selection.takes(Path::new(path))) {
                let name = session_name(&selection, "", Path::new(path)).unwrap();
                let other = names.insert(name, path);
                prop_assert!(other.is_none(), "{path} and {other:?}");
            }
        }
    }
}
