//! An archive that is being written: under another name until it is complete, and gone on with where it was left.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::archive;
use super::blocks::Blocks;
use super::contents::{Contents, Head, Summary, Table, encode};
use super::folder::{BACKUP_EXTENSION, PART, is_part_name};
use super::frame::{self, Kind};
use super::keys::{ContentId, Keys, Lock};
use super::parity;
use super::stream::Stream;
use crate::durable;
use crate::error::{Error, ErrorKind, Result};

/// Where the rest of an archive goes.
enum Out {
    /// As long as what is written is what was there already.
    Left {
        file: File,
        frames: VecDeque<(frame::Header, u64)>,
        end: u64,
    },
    Writing(Stream),
}

/// An archive that is not complete.
pub(super) struct Part {
    out: Out,
    /// Its name as long as it is not.
    part: PathBuf,
    /// Its name when it is.
    path: PathBuf,
    pub(super) head: Head,
    lock: Option<Lock>,
    number: u32,
    /// Bytes that were there already.
    pub(super) found: u64,
    size: u32,
}

/// Where an archive is to be written.
pub(super) enum Target {
    /// Under that name.
    File(PathBuf),
    /// Under a name of its own.
    Folder(PathBuf),
}

impl Target {
    /// What ends with the archives' extension is a file; everything else a folder, which is made if need be.
    pub(super) fn of(path: &Path) -> Result<Self> {
        if path.extension().is_some_and(|it| it == BACKUP_EXTENSION) && !path.is_dir() {
            if fs::symlink_metadata(path).is_ok() {
                let shown = path.display();
                return Err(Error::conflict(format!(
                    "{shown} exists already; a backup never takes the place of another"
                )));
            }
            return Ok(Self::File(path.to_owned()));
        }
        durable::make_folder(path)?;
        Ok(Self::Folder(path.to_owned()))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Folder(path) => path,
        }
    }

    /// The file of a new archive that is not complete.
    fn new_part(&self, stem: &str, head: &Head) -> Result<PathBuf> {
        let complete = match self {
            Self::File(path) => path.clone(),
            Self::Folder(folder) => {
                let time = super::contents::time(head.begun_at)?;
                let time = time.strftime("%Y%m%dT%H%M%S%.3fZ");
                let name = format!("{stem}-{time}-{}.{BACKUP_EXTENSION}", head.kind);
                folder.join(name)
            }
        };
        Ok(with_part(&complete))
    }

    /// One that was left, and that a backup with this head can go on with.
    fn left(&self, head: &Head, size: u32) -> Result<Option<(PathBuf, Head)>> {
        let candidates = match self {
            Self::File(path) => vec![with_part(path)],
            Self::Folder(folder) => {
                let failed = |e| Error::io(format!("looking into {}", folder.display()), e);
                let mut found = Vec::new();
                for entry in fs::read_dir(folder).map_err(failed)? {
                    let path = entry.map_err(failed)?.path();
                    found.extend(is_part_name(&path).then_some(path));
                }
                found.sort();
                found
            }
        };
        for path in candidates {
            let blocks = match Blocks::open(&path) {
                Ok(blocks) => blocks,
                Err(error) => {
                    if error.kind() == ErrorKind::InvalidInput {
                        remove_left(&path);
                    }
                    continue;
                }
            };
            let Ok(Some(there)) = archive::head(&blocks) else {
                continue;
            };
            let same = Head {
                archive: there.archive,
                begun_at: there.begun_at,
                ..head.clone()
            };
            if same != there {
                continue;
            }
            // There are only so many blocks, and the store has grown since.
            if blocks.size < size / 2 {
                remove_left(&path);
                continue;
            }
            return Ok(Some((path, there)));
        }
        Ok(None)
    }
}

impl Part {
    /// Begins an archive, or goes on with one that was left.
    ///
    /// # Errors
    /// `Locked` where another program writes it; `Denied` or `Storage` where the disk refuses.
    pub(super) fn begin(
        target: &Target,
        stem: &str,
        head: Head,
        size: u32,
        keys: &Keys,
    ) -> Result<Self> {
        let left = target.left(&head, size)?;
        let (part, head, is_left) = match left {
            Some((part, there)) => (part, there, true),
            None => (target.new_part(stem, &head)?, head, false),
        };
        let failed = |e| Error::io(format!("writing {}", part.display()), e);
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(!is_left)
            .truncate(false)
            .mode(0o600)
            .open(&part);
        let taken = || {
            let shown = part.display();
            Error::locked(format!("another program is writing {shown} just now"))
        };
        let file = match file {
            Err(e) if is_left && e.kind() == io::ErrorKind::NotFound => return Err(taken()),
            opened => opened.map_err(failed)?,
        };
        match file.try_lock() {
            // Whoever wrote it may have completed it before it was locked here: then it has another name by now.
            Ok(()) if is_same(&file, &part) => {}
            Ok(()) | Err(TryLockError::WouldBlock) => return Err(taken()),
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        let lock = keys.of(&head.archive)?;
        let path = part.with_extension("");
        let (out, size, found) = if is_left {
            let blocks = Blocks::open(&part)?;
            let (frames, end) = frames(&blocks)?;
            let size = blocks.size;
            let out = Out::Left { file, frames, end };
            (out, size, end)
        } else {
            file.set_len(0).map_err(failed)?;
            let mut stream = Stream::begin(file, head.archive, size);
            let content = encode(&head)?;
            let id = archive::in_clear()?.content_id(&content);
            stream.write(&frame::bytes((Kind::Head, 0, 0), (id, &content), None)?)?;
            (Out::Writing(stream), size, 0)
        };
        Ok(Self {
            out,
            part,
            path,
            head,
            lock,
            number: 1,
            found,
            size,
        })
    }

    /// Puts rows into the archive, if they are not there already. Returns where, and the number of the frame.
    pub(super) fn rows(
        &mut self,
        table: Table,
        id: ContentId,
        content: &[u8],
    ) -> Result<(u64, u32)> {
        let number = self.number;
        if let Out::Left { frames, .. } = &mut self.out
            && let Some((header, at)) = frames.front().copied()
            && (header.kind, header.number, header.id) == (Kind::Rows, number, id)
        {
            frames.pop_front();
            self.number += 1;
            return Ok((at, number));
        }
        self.turn()?;
        self.number += 1;
        let Out::Writing(stream) = &mut self.out else {
            return Err(not_writing());
        };
        let at = stream.at();
        let what = (Kind::Rows, table as u8, number);
        stream.write(&frame::bytes(what, (id, content), self.lock.as_ref())?)?;
        Ok((at, number))
    }

    /// Puts the directory, and parity of that share in percent, and gives the archive its name.
    pub(super) fn complete(
        mut self,
        contents: &Contents,
        keys: &Keys,
        percent: u8,
        progress: &mut dyn FnMut(u64, u64) -> Result<()>,
    ) -> Result<PathBuf> {
        self.turn()?;
        let summary = encode::<Summary>(&contents.summary)?;
        let id = archive::in_clear()?.content_id(&summary);
        let mut directory = frame::bytes((Kind::Summary, 0, 0), (id, &summary), None)?;
        let contents = encode(contents)?;
        let id = keys.content_id(&contents);
        let contents = frame::bytes((Kind::Contents, 0, 0), (id, &contents), self.lock.as_ref())?;
        directory.extend_from_slice(&contents);
        let archive = self.head.archive;
        let Out::Writing(stream) = self.out else {
            return Err(not_writing());
        };
        let (file, data) = stream.end(&directory)?;
        let count = parity::count(data, percent);
        let total = super::blocks::place(data + count, self.size);
        let mut done = 0;
        parity::add(&file, archive, self.size, (data, count), &mut |bytes| {
            done += bytes;
            progress(done, total)
        })?;
        file.sync_all()
            .map_err(|e| Error::io(format!("syncing {}", self.part.display()), e))?;
        durable::name(&self.part, &self.path)?;
        Ok(self.path)
    }

    /// What was left is used as far as it could be: the rest of it goes.
    fn turn(&mut self) -> Result<()> {
        let Out::Left { file, frames, end } = &self.out else {
            return Ok(());
        };
        let blocks = Blocks::open(&self.part)?;
        let at = frames.front().map_or(*end, |(_, at)| *at);
        self.found = at;
        let file = file
            .try_clone()
            .map_err(|e| Error::io(format!("writing {}", self.part.display()), e))?;
        self.out = Out::Writing(Stream::go_on(blocks, file, at)?);
        Ok(())
    }
}

/// The frames that stand in an archive from its beginning on, without a gap, behind its head; and where they end.
fn frames(blocks: &Blocks) -> Result<(VecDeque<(frame::Header, u64)>, u64)> {
    let mut frames = VecDeque::new();
    let mut at = 0;
    while let Some(header) = frame::header(blocks, at)? {
        let length = usize::try_from(header.length()).unwrap_or(usize::MAX);
        if blocks.read(at, length)?.is_none() {
            break;
        }
        if header.kind != Kind::Head {
            frames.push_back((header, at));
        }
        at += header.length();
    }
    Ok((frames, at))
}

/// Takes away what was left of an archive and nothing can go on with, if nobody writes it just now.
fn remove_left(path: &Path) {
    if let Ok(file) = File::open(path)
        && file.try_lock().is_ok()
        && is_same(&file, path)
    {
        drop(fs::remove_file(path));
    }
}

/// Whether the file that is open stands at that place.
fn is_same(file: &File, path: &Path) -> bool {
    let open = file.metadata().map(|it| (it.dev(), it.ino()));
    let there = fs::symlink_metadata(path).map(|it| (it.dev(), it.ino()));
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

fn not_writing() -> Error {
    Error::storage("the backup is not being written")
}

fn with_part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(PART);
    name.into()
}
