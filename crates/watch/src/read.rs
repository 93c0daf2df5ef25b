//! Looking at a file and reading it, without following a symbolic link and without being fooled by a file
//! that changes meanwhile.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};
use std::time::SystemTime;

use dalsegno::{Error, ErrorKind, MAX_SIZE, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use crate::facts::{Facts, FileTime};

/// File systems tell times in steps of up to so many nanoseconds: what was written last within one
/// step may be written again without a sign of it.
const STEP: i128 = 20_000_000;

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    File(Facts),
    Folder,
    Link,
    /// A pipe, a socket or a device.
    Special,
    Nothing,
}

/// What stands at `path`, which is looked at and not opened.
pub(crate) fn look(path: &Path) -> Result<Look> {
    match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Look::File(Facts::of(&stat)),
            FileType::Directory => Look::Folder,
            FileType::Symlink => Look::Link,
            _ => Look::Special,
        }),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(Look::Nothing),
        Err(e) => Err(failed("looking at", path, e.into())),
    }
}

/// What reading a file came to.
pub(crate) enum Content {
    /// All of it, and what it was like before and after.
    Whole(Vec<u8>, Facts),
    /// It changed while it was read, or is not as expected.
    Moved(Option<Facts>),
    /// It is larger than any state may be.
    TooLarge(Facts),
}

/// How a file is expected to be.
pub(crate) enum Expected {
    /// As it was seen last.
    As(Facts),
    /// It may just have been written; then it is not read, because it could be written again unnoticed.
    Any,
}

/// Reads the file at `relative` below `folder`.
///
/// # Errors
/// `Denied`, `Storage` as the disk answers; `InvalidInput` where something on the way is a symbolic link or
/// what stands there is no file.
pub(crate) fn read(folder: &Path, relative: &Path, expected: &Expected) -> Result<Content> {
    let shown = folder.join(relative);
    let file = match open(folder, relative) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(Content::Moved(None)),
        Err(Errno::LOOP | Errno::NOTDIR) => {
            let message = format!("{} is, or is behind, a symbolic link", shown.display());
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        Err(e) => return Err(failed("reading", &shown, e.into())),
    };
    let stat = |file: &File| fstat(file).map_err(|e| failed("reading", &shown, e.into()));
    let mut file = File::from(file);
    let found = stat(&file)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        let message = format!("{} is not a regular file", shown.display());
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let before = Facts::of(&found);
    if let Expected::As(expected) = expected
        && !expected.stood_still(&before)
    {
        return Ok(Content::Moved(Some(before)));
    }
    let size = usize::try_from(before.size).unwrap_or(usize::MAX);
    if size > MAX_SIZE {
        return Ok(Content::TooLarge(before));
    }
    let mut bytes = Vec::with_capacity(size + 1);
    let mut limited = (&mut file).take(before.size + 1);
    limited
        .read_to_end(&mut bytes)
        .map_err(|e| failed("reading", &shown, e))?;
    let after = Facts::of(&stat(&file)?);
    let moved = bytes.len() != size
        || !before.stood_still(&after)
        || matches!(expected, Expected::Any) && age(after.modified) < STEP;
    if moved {
        return Ok(Content::Moved(Some(after)));
    }
    Ok(Content::Whole(bytes, before))
}

/// How long ago that was, in nanoseconds; negative in the future.
pub(crate) fn age(time: FileTime) -> i128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = since.map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(0));
    now - time.nanoseconds()
}

/// Opens folder after folder, none of which may be a symbolic link; a pipe is not waited for.
fn open(folder: &Path, relative: &Path) -> Result<OwnedFd, Errno> {
    let way = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    let way = way | OFlags::PATH;
    let end =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut at = openat(CWD, folder, way, Mode::empty())?;
    let mut parts = relative.components().peekable();
    while let Some(Component::Normal(part)) = parts.next() {
        if parts.peek().is_none() {
            return openat(&at, part, end, Mode::empty());
        }
        at = openat(&at, part, way, Mode::empty())?;
    }
    Err(Errno::NOENT)
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::io(format!("{what} {}", path.display()), error)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn facts(path: &Path) -> Facts {
        match look(path).unwrap() {
            Look::File(facts) => facts,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_file_is_read_whole_and_only_as_it_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let file = folder.path().join("in/a.json");
        fs::write(&file, "[1]").unwrap();
        let seen = facts(&file);
        let read = |expected| read(folder.path(), Path::new("in/a.json"), &expected).unwrap();
        assert!(matches!(read(Expected::As(seen)), Content::Whole(text, _) if text == b"[1]"));
        assert!(
            matches!(read(Expected::Any), Content::Moved(_)),
            "it was just written"
        );
        fs::write(&file, "[1, 2]").unwrap();
        let now = facts(&file);
        assert!(matches!(read(Expected::As(seen)), Content::Moved(Some(found)) if found == now));
        fs::remove_file(&file).unwrap();
        assert!(matches!(read(Expected::As(now)), Content::Moved(None)));
        assert_eq!(look(&file).unwrap(), Look::Nothing);
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_not_taken_for_whole() {
        use std::os::unix::fs::FileExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let size = 8 << 20;
        fs::write(&path, vec![b'0'; size]).unwrap();
        for round in 1..=20_u8 {
            // What is read has stood still; only then it is written again, in place.
            let seen = loop {
                let seen = facts(&path);
                if age(seen.modified) > 2 * STEP {
                    break seen;
                }
                std::thread::yield_now();
            };
            let new = vec![b'0' + round % 2; size];
            let begun = std::sync::Barrier::new(2);
            let content = std::thread::scope(|scope| {
                scope.spawn(|| {
                    begun.wait();
                    let file = File::options().write(true).open(&path).unwrap();
                    // From its end, so that whoever reads from its beginning meets it.
                    for (at, part) in new.chunks(1 << 16).enumerate().rev() {
                        file.write_all_at(part, (at << 16) as u64).unwrap();
                    }
                });
                begun.wait();
                read(folder.path(), Path::new("a.json"), &Expected::As(seen)).unwrap()
            });
            if let Content::Whole(bytes, _) = content {
                let first = bytes[0];
                assert!(
                    bytes.iter().all(|byte| *byte == first),
                    "a mixture was read"
                );
            }
        }
    }

    #[test]
    fn links_lead_nowhere_and_pipes_are_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("a.json"), "1").unwrap();
        symlink(outside.path(), folder.path().join("out")).unwrap();
        symlink(outside.path().join("a.json"), folder.path().join("a.json")).unwrap();
        let pipe = folder.path().join("p.json");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        let refused = |relative: &str| {
            let answer = read(folder.path(), Path::new(relative), &Expected::Any);
            answer.err().unwrap().to_string()
        };
        assert!(refused("a.json").contains("symbolic link"));
        assert!(refused("out/a.json").contains("symbolic link"));
        assert!(refused("p.json").contains("not a regular file"));
        assert_eq!(look(&pipe).unwrap(), Look::Special);
        assert_eq!(look(&folder.path().join("a.json")).unwrap(), Look::Link);
        assert_eq!(look(&folder.path().join("out")).unwrap(), Look::Link);
    }
}
