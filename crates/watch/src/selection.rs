//! Which files of a folder are session files.

use std::ffi::OsStr;
use std::path::Path;

use dalsegno::{Error, ErrorKind, Result};
use glob::{MatchOptions, Pattern};

/// Files with these endings are session files, unless it is said otherwise.
const USUAL: [&str; 3] = ["*.json", "*.jsonl", "*.ndjson"];

/// What editors, downloads and this program itself leave beside a file.
const PASSING: [&str; 12] = [
    "~",
    ".bak",
    ".tmp",
    ".temp",
    ".swp",
    ".swo",
    ".swx",
    ".part",
    ".partial",
    ".crdownload",
    ".lock",
    ".orig",
];

/// What this program and others call files that they put aside.
const ASIDE: [&str; 4] = [".before-", ".displaced-", ".json.kept-", ".sync-conflict-"];

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Which files of a folder are session files: patterns to include, and to exclude.
///
/// In a pattern, `*` is any text without `/`, `?` one character, `[abc]` one of these, and `**`, alone between
/// slashes, any number of folders. A pattern without `/` is for a name in any folder, one with `/` for the path
/// below the watched folder. A folder that is excluded is not entered.
///
/// Never included are hidden files and folders, what editors leave beside a file (`a.json~`, `a.json.swp`,
/// `#a.json#`), backups (`.bak`), and what was put aside (`a.json.displaced-…`, `a.json.before-…`).
#[derive(Debug, Clone)]
pub struct Selection {
    include: Vec<Rule>,
    exclude: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    pattern: Pattern,
    /// For the path, not only for the name.
    path: bool,
}

impl Rule {
    fn new(text: &str) -> Result<Self> {
        let fitting = text.trim_start_matches('/');
        if fitting.is_empty() {
            let message = format!("the pattern '{text}' is empty: it fits no file");
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        let pattern = Pattern::new(fitting).map_err(|e| {
            let message = format!("the pattern '{text}' is none: {e}");
            Error::new(ErrorKind::InvalidInput, message).with_source(e)
        })?;
        Ok(Self {
            pattern,
            path: text.contains('/'),
        })
    }

    fn fits(&self, relative: &Path) -> bool {
        // A name that is not UTF-8 is one all the same: the file is not kept, but that is told.
        let fits = |name: &OsStr| {
            let name = name.to_string_lossy();
            self.pattern.matches_with(&name, OPTIONS)
        };
        if self.path {
            return fits(relative.as_os_str());
        }
        relative.file_name().is_some_and(fits)
    }
}

impl Default for Selection {
    /// JSON (`*.json`) and JSON lines (`*.jsonl`, `*.ndjson`).
    fn default() -> Self {
        let usual = USUAL.iter().filter_map(|pattern| Rule::new(pattern).ok());
        Self {
            include: usual.collect(),
            exclude: Vec::new(),
        }
    }
}

impl Selection {
    /// Files that one of `include` fits, the usual ones if there are none, and none of `exclude`.
    ///
    /// # Errors
    /// `InvalidInput` for what is no pattern, or an empty one.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self> {
        let rules = |patterns: &[String]| -> Result<Vec<Rule>> {
            patterns.iter().map(|it| Rule::new(it)).collect()
        };
        Ok(Self {
            include: if include.is_empty() {
                Self::default().include
            } else {
                rules(include)?
            },
            exclude: rules(exclude)?,
        })
    }

    /// Whether the file at this path, relative to the watched folder, is one, by its name.
    #[must_use]
    pub fn takes(&self, relative: &Path) -> bool {
        self.is_open(relative)
            && !is_passing(relative)
            && self.include.iter().any(|rule| rule.fits(relative))
    }

    /// Whether the folder at this path is looked into.
    pub(crate) fn enters(&self, relative: &Path) -> bool {
        self.is_open(relative)
    }

    /// Neither it nor a folder that it is in is hidden or excluded.
    fn is_open(&self, relative: &Path) -> bool {
        let hidden = relative
            .components()
            .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
        let excluded = |at: &Path| self.exclude.iter().any(|rule| rule.fits(at));
        !hidden && !relative.ancestors().any(excluded)
    }
}

/// Whether a name is of a file that will not stay, or was put aside.
fn is_passing(relative: &Path) -> bool {
    let Some(name) = relative.file_name() else {
        return true;
    };
    let name = name.to_string_lossy();
    PASSING.iter().any(|end| name.ends_with(end))
        || ASIDE.iter().any(|part| name.contains(part))
        || name.starts_with('#') && name.ends_with('#')
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn takes(include: &[&str], exclude: &[&str], path: &str) -> bool {
        let texts = |all: &[&str]| {
            all.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let selection = Selection::new(&texts(include), &texts(exclude)).unwrap();
        selection.takes(Path::new(path))
    }

    #[test]
    fn json_and_json_lines_are_taken_and_what_lies_beside_them_is_not() {
        for path in [
            "a.json",
            "chats/a.json",
            "a.jsonl",
            "x/y/z.ndjson",
            "a b.json",
            "ä.json",
        ] {
            assert!(takes(&[], &[], path), "{path}");
        }
        for path in [
            "a.txt",
            "a",
            "a.JSON",
            ".a.json",
            ".git/a.json",
            "x/.y/a.json",
            "a.json~",
            "a.json.bak",
            "a.json.tmp",
            ".dalsegno-x.tmp",
            ".a.json.swp",
            "#a.json#",
            "json",
            "a.json.displaced-20261121T092200.512904Z",
            "a.json.kept-20261121T092200.512904Z",
            "a.json.before-01a1fc35",
            "a.displaced-1.json",
            "a.sync-conflict-20261121.json",
        ] {
            assert!(!takes(&[], &[], path), "{path}");
        }
        // Whatever is asked for, these are not.
        for path in [
            ".a.json",
            "a.json~",
            "a.json.bak",
            ".dalsegno/store.db",
            "x.tmp",
        ] {
            assert!(!takes(&["*", "**/*"], &[], path), "{path}");
        }
    }

    #[test]
    fn a_pattern_with_a_slash_is_for_the_path_and_one_without_for_the_name() {
        assert!(takes(&["*.state"], &[], "deep/down/a.state"));
        assert!(!takes(&["*.state"], &[], "a.json"));
        assert!(takes(&["chats/*.json"], &[], "chats/a.json"));
        assert!(!takes(&["chats/*.json"], &[], "chats/old/a.json"));
        assert!(takes(&["/chats/**/*.json"], &[], "chats/old/a.json"));
        assert!(!takes(
            &[],
            &["node_modules"],
            "web/node_modules/x/package.json"
        ));
        assert!(!takes(&[], &["old/*"], "old/x/a.json"));
        assert!(takes(&[], &["old/*"], "new/old/a.json"));
        assert!(!takes(&[], &["index.json"], "x/index.json"));
        Selection::new(&["a[".to_owned()], &[]).unwrap_err();
        for empty in ["", "/"] {
            let empty = [empty.to_owned()];
            for refused in [Selection::new(&empty, &[]), Selection::new(&[], &empty)] {
                assert!(refused.unwrap_err().to_string().contains("empty"));
            }
        }
    }

    #[test]
    fn a_name_that_is_not_utf_8_is_one_all_the_same() {
        let folder = Path::new(OsStr::from_bytes(b"caf\xe9"));
        let file = Path::new(OsStr::from_bytes(b"caf\xe9.json"));
        let usual = Selection::default();
        assert!(usual.takes(file) && usual.takes(&folder.join("a.json")));
        assert!(!usual.takes(Path::new(OsStr::from_bytes(b"caf\xe9.txt"))));
        let without = Selection::new(&[], &["caf*".to_owned()]).unwrap();
        assert!(!without.takes(file) && !without.enters(folder));
        let within = Selection::new(&["caf*/*.json".to_owned()], &[]).unwrap();
        assert!(within.takes(&folder.join("a.json")) && !within.takes(file));
    }
}
