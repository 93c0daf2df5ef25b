//! Earlier states of a session that are kept beside its file: which they are, and how many stay.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use dalsegno::clock::{Clock, SystemClock};
use dalsegno::durable::{folder_of, sync_folder, write_like};
use dalsegno::guard;
use dalsegno::{Error, Result};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::displaced::same;
use crate::file;
use crate::name::id_of;

/// The intent of a session that was deleted: nothing from before comes back.
pub const DELETED: &str = "deleted";

/// A point of time as it stands in a name: names sort as times do.
const TIME: &str = "%Y%m%dT%H%M%S.%6fZ";
const TIME_READ: &str = "%Y%m%dT%H%M%S.%fZ";

/// So much of an intent's words stands in a name, which has room for 255 bytes with all else.
const MAX_INTENT: usize = 90;

/// How many generations are kept, and how long: five and 30 days unless said. Those that were displaced with an
/// intent are counted by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The newest so many are kept, of each sort; 1 at least.
    pub generations: u32,
    /// Older ones are not kept.
    pub max_age: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            generations: guard::GENERATIONS,
            max_age: guard::MAX_AGE,
        }
    }
}

/// A state of a session that is kept beside its file, as `<sid>.json.kept-<time>`, or
/// `<sid>.json.kept-<time>~<intent>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Generation {
    /// Where.
    pub path: PathBuf,
    /// When it was displaced.
    pub at: Timestamp,
    /// What the save said that displaced it; nothing where it lost messages without a word.
    pub intent: Option<String>,
    /// Bytes; 0 where only the intent is still kept.
    pub size: u64,
}

/// The generations of the session whose file is at `path`, the newest first. Nothing is created or changed.
///
/// # Errors
/// `InvalidInput` where the path names no file; `Denied` or `Storage` where its folder cannot be listed.
pub fn generations(path: &Path) -> Result<Vec<Generation>> {
    let failed = |e| Error::io(format!("looking for backups of {}", path.display()), e);
    let prefix = prefix(path)?;
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder_of(path)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Some((at, intent)) = read_name(&entry.file_name(), prefix.as_bytes()) else {
            continue;
        };
        match entry.metadata() {
            Ok(there) if there.is_file() => found.push(Generation {
                path: entry.path(),
                at,
                intent,
                size: there.len(),
            }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
    }
    found.sort_unstable_by(|one, other| other.path.cmp(&one.path));
    Ok(found)
}

/// Those that can come back unasked: nothing from before the session was deleted.
pub(crate) fn since_deletion(path: &Path) -> Result<Vec<Generation>> {
    let mut all = generations(path)?;
    let deletion = |it: &Generation| it.intent.as_deref() == Some(DELETED);
    let deleted = all.iter().position(deletion);
    all.truncate(deleted.unwrap_or(all.len()));
    Ok(all)
}

/// Whether `name` is that of a generation of any session, and of which file.
pub(crate) fn session_of(name: &OsStr) -> Option<&OsStr> {
    const MARK: &[u8] = b".json.kept-";
    let bytes = name.as_bytes();
    let at = bytes.windows(MARK.len()).rposition(|it| it == MARK)?;
    let end = at + MARK.len();
    read_name(name, bytes.get(..end)?)?;
    bytes.get(..at + b".json".len()).map(OsStr::from_bytes)
}

/// Copies the file at `from` to a generation of the session at `path` that was displaced at `at`; the same is not
/// kept twice. Answers where it is, and whether it is new.
pub(crate) fn keep(
    path: &Path,
    from: &Path,
    at: Timestamp,
    intent: Option<&str>,
) -> Result<(PathBuf, bool)> {
    for known in generations(path)? {
        if known.intent.as_deref() == intent && same(from, &known.path).unwrap_or(false) {
            return Ok((known.path, false));
        }
    }
    let to = free_name(path, at, intent)?;
    let failed = |e| Error::io(format!("copying {}", from.display()), e);
    let mut file = file::open(from).map_err(failed)?;
    write_like(&to, from, |out| {
        io::copy(&mut file, out).map(drop).map_err(failed)
    })?;
    Ok((to, true))
}

/// Gives the file at `from` the name of a generation.
pub(crate) fn rename(path: &Path, from: &Path, at: Timestamp, intent: &str) -> Result<PathBuf> {
    let to = free_name(path, at, Some(intent))?;
    let failed = |e| Error::io(format!("renaming {}", from.display()), e);
    fs::rename(from, &to).map_err(failed)?;
    sync_folder(&folder_of(path)).map_err(failed)?;
    Ok(to)
}

/// Now; later than all that is kept, whatever the clock says.
pub(crate) fn now(path: &Path) -> Result<Timestamp> {
    let now = SystemClock.now();
    let Some(newest) = generations(path)?.first().map(|newest| newest.at) else {
        return Ok(now);
    };
    let next = newest.checked_add(SignedDuration::from_micros(1));
    Ok(now.max(next.unwrap_or(newest)))
}

/// Takes away what is too old, and the oldest where there are too many. What was taken away on purpose stays known
/// as long as there is an older state in which it still is: of such a one, only the name stays.
pub(crate) fn settle(path: &Path, limits: &Limits) -> Result<()> {
    let all = generations(path)?;
    let oldest = SystemClock.now().checked_sub(limits.max_age).ok();
    let too_old = |it: &Generation| oldest.is_some_and(|oldest| it.at < oldest);
    let (mut plain, mut meant) = (0_u32, 0_u32);
    let mut gone: Vec<&Generation> = Vec::new();
    let mut emptied: Vec<&Generation> = Vec::new();
    for generation in &all {
        let count = match generation.intent {
            None => &mut plain,
            Some(_) => &mut meant,
        };
        *count += 1;
        let over = *count > limits.generations.max(1);
        if too_old(generation) || (over && generation.intent.is_none()) {
            gone.push(generation);
        } else if over {
            emptied.push(generation);
        }
    }
    let needed = |marker: &Generation| {
        let older = |it: &&Generation| it.intent.is_none() && it.at < marker.at;
        all.iter()
            .filter(older)
            .any(|it| !gone.iter().any(|gone| gone.path == it.path))
    };
    let failed =
        |it: &Generation, e| Error::io(format!("removing the old {}", it.path.display()), e);
    for generation in &emptied {
        if !needed(generation) {
            fs::remove_file(&generation.path).map_err(|e| failed(generation, e))?;
        } else if generation.size > 0 {
            write_like(&generation.path, &generation.path, |_| Ok(()))?;
        }
    }
    for generation in &gone {
        fs::remove_file(&generation.path).map_err(|e| failed(generation, e))?;
    }
    Ok(())
}

fn prefix(path: &Path) -> Result<OsString> {
    let mut name = id_of(path)?.to_owned();
    name.push(".json.kept-");
    Ok(name)
}

/// A name that nothing has yet.
fn free_name(path: &Path, at: Timestamp, intent: Option<&str>) -> Result<PathBuf> {
    let prefix = prefix(path)?;
    let mut number = 1;
    loop {
        let mut name = prefix.clone();
        name.push(at.strftime(TIME).to_string());
        if number > 1 {
            name.push(format!("-{number}"));
        }
        if let Some(intent) = intent {
            name.push("~");
            name.push(escape(intent));
        }
        let candidate = path.with_file_name(name);
        match fs::symlink_metadata(&candidate) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(candidate),
            Err(error) => {
                let what = format!("looking for {}", candidate.display());
                return Err(Error::io(what, error));
            }
            Ok(_) => number += 1,
        }
    }
}

fn read_name(name: &OsStr, prefix: &[u8]) -> Option<(Timestamp, Option<String>)> {
    let rest = std::str::from_utf8(name.as_bytes().strip_prefix(prefix)?).ok()?;
    let (time, intent) = match rest.split_once('~') {
        Some((time, intent)) => (time, Some(unescape(intent)?)),
        None => (rest, None),
    };
    let (time, number) = time.split_at_checked(time.find('Z')? + 1)?;
    if !number.is_empty() {
        number.strip_prefix('-')?.parse::<u64>().ok()?;
    }
    let at = DateTime::strptime(TIME_READ, time).ok()?;
    let at = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((at, intent))
}

/// Words as they can stand in a name, shortened where they are long.
fn escape(words: &str) -> String {
    let mut name = String::new();
    for letter in words.chars() {
        let mut piece = String::new();
        if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_') {
            piece.push(letter);
        } else {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                piece.push_str(&format!("%{byte:02x}"));
            }
        }
        if name.len() + piece.len() > MAX_INTENT {
            break;
        }
        name.push_str(&piece);
    }
    name
}

fn unescape(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at_checked(at)?;
        bytes.extend(before.bytes());
        bytes.push(u8::from_str_radix(escape.get(1..3)?, 16).ok()?);
        rest = escape.get(3..)?;
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_when_and_why_and_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.b.json");
        let at: Timestamp = "2026-11-21T10:00:00.123456Z".parse().unwrap();
        for (intent, wanted) in [
            (None, "a.b.json.kept-20261121T100000.123456Z"),
            (Some("clear"), "a.b.json.kept-20261121T100000.123456Z~clear"),
            (
                Some("undo ein/ä~%"),
                "a.b.json.kept-20261121T100000.123456Z~undo%20ein%2f%c3%a4%7e%25",
            ),
        ] {
            let name = free_name(&path, at, intent).unwrap();
            assert_eq!(name.file_name().unwrap(), wanted);
            let read = read_name(name.file_name().unwrap(), b"a.b.json.kept-").unwrap();
            assert_eq!(read, (at, intent.map(str::to_owned)));
            assert_eq!(
                session_of(name.file_name().unwrap()).unwrap(),
                OsStr::new("a.b.json")
            );
        }
        let long = free_name(&path, at, Some(&"ä".repeat(500))).unwrap();
        assert!(long.file_name().unwrap().len() < 200);
        assert!(read_name(long.file_name().unwrap(), b"a.b.json.kept-").is_some());
        fs::write(free_name(&path, at, None).unwrap(), "x").unwrap();
        let second = free_name(&path, at, None).unwrap();
        assert!(second.to_str().unwrap().ends_with("Z-2"));
        fs::write(second, "y").unwrap();
        assert_eq!(generations(&path).unwrap().len(), 2);
        for other in [
            "a.b.json",
            "a.b.json.kept-",
            "a.b.json.kept-x.json",
            "a.b.json.bak",
        ] {
            assert_eq!(session_of(OsStr::new(other)), None, "{other}");
        }
    }
}
