//! A watch: what the system tells, the folders as they are, and what is due, brought together.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dalsegno::{Engine, Error, ErrorKind, Result};
use notify::RecommendedWatcher;

use crate::attend::Files;
use crate::event::{Event, Summary};
use crate::facts::Facts;
use crate::folder::Folder;
use crate::hands::Hands;
use crate::inbox::{Inbox, Stopper};
use crate::lines::Checked;
use crate::settings::Settings;
use crate::settle::{File, Moment, Settling, Times};

/// Where the system tells nothing, the folders are looked at so often.
pub(crate) const POLL: Duration = Duration::from_secs(2);

/// File systems tell times in steps of milliseconds; what settles faster than a few of them cannot be told.
const LEAST_SETTLE: Duration = Duration::from_millis(20);

/// Whom a watch tells what it does.
pub(crate) type Told<'t> = &'t mut dyn FnMut(&Event);

/// Keeps folders of session files safe: every settled change of a file becomes a snapshot of the session that is
/// named after it.
///
/// ```
/// use dalsegno_watch::{Event, Settings, Watch};
///
/// # fn main() -> dalsegno::Result<()> {
/// # let home = tempfile::tempdir().unwrap();
/// # let engine = dalsegno::Engine::create(home.path().join("store.db"))?;
/// # let folder = home.path().join("chats");
/// # std::fs::create_dir(&folder).unwrap();
/// std::fs::write(folder.join("a.json"), r#"{"messages": ["Hello"]}"#).unwrap();
///
/// let mut watch = Watch::new(&engine, &[folder], Settings::default())?;
/// let summary = watch.once(&mut |event: &Event| println!("{event:?}"))?;
/// assert_eq!(summary.saved, 1);
/// assert_eq!(engine.restore("a@latest")?.text(), br#"{"messages": ["Hello"]}"#);
/// # Ok(())
/// # }
/// ```
pub struct Watch<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) settings: Settings,
    pub(crate) folders: Vec<Folder>,
    pub(crate) inbox: Inbox,
    pub(crate) settling: Settling,
    pub(crate) about: HashMap<File, About>,
    /// Which file an inode was, as it was kept last.
    pub(crate) inodes: HashMap<u64, File>,
    /// From a file's name to the one it had before, as the system told.
    pub(crate) renames: HashMap<PathBuf, PathBuf>,
    /// Sessions whose files are gone since they were watched last, by inode; while it is caught up.
    pub(crate) orphans: Option<HashMap<u64, (String, Facts)>>,
    pub(crate) summary: Summary,
    pub(crate) system: Option<RecommendedWatcher>,
    pub(crate) watched: HashSet<PathBuf>,
    /// What was said to be skipped.
    skipped: HashSet<PathBuf>,
    pub(crate) polls: bool,
    /// The sessions that are open here.
    pub(crate) leased: HashSet<String>,
    /// Those of them whose files are gone.
    pub(crate) gone: Vec<String>,
    /// Those that others are at work on.
    pub(crate) hands: Arc<Hands>,
}

/// What is known of a session file.
pub(crate) struct About {
    pub(crate) session: String,
    /// Which of the folders it is in, and where there.
    pub(crate) folder: usize,
    pub(crate) relative: PathBuf,
    /// How much of it is known to be whole lines.
    pub(crate) checked: Option<Checked>,
    /// What was refused of it and told.
    pub(crate) refused: Option<u128>,
    /// It could not be read or kept, and that was told.
    pub(crate) trouble: bool,
    /// It goes on under another name, and that was told.
    pub(crate) moved_on: bool,
    /// There was no such session when the watch began: asking for one that is not there is a look at all.
    pub(crate) is_new: bool,
    /// The session that it was, until a snapshot says so.
    pub(crate) renamed_from: Option<String>,
}

impl<'a> Watch<'a> {
    /// What attends to requests for the sessions of this watch: give it to [`Engine::attend`] while it runs.
    #[must_use]
    pub fn attendant(&self, engine: Arc<Engine>) -> Files {
        let folders = self.folders.iter().map(|it| it.path.clone()).collect();
        Files::new(engine, folders, Arc::clone(&self.hands))
    }

    /// Prepares to watch `folders`, with all that is in them. Nothing is read yet.
    ///
    /// With several folders, their own names come after the prefix in their sessions' names.
    ///
    /// # Errors
    /// `NotFound` or `InvalidInput` where one is no folder; `InvalidInput` where one is named twice or within another, two
    /// have the same name, or the prefix can be no session's name; `Denied` where the store can only be read.
    pub fn new(engine: &'a Engine, folders: &[PathBuf], settings: Settings) -> Result<Self> {
        if engine.is_read_only() && !settings.dry_run {
            let path = engine.path().unwrap_or_default();
            let message = format!("the store {} can only be read", path.display());
            return Err(Error::new(ErrorKind::Denied, message));
        }
        let folders = Folder::all(folders, &settings.prefix)?;
        let times = Times {
            settle: settings.settle.max(LEAST_SETTLE),
            patience: settings.patience.max(settings.settle),
        };
        Ok(Self {
            engine,
            settings,
            folders,
            inbox: Inbox::new(),
            settling: Settling::new(times),
            about: HashMap::new(),
            inodes: HashMap::new(),
            renames: HashMap::new(),
            orphans: None,
            summary: Summary::default(),
            system: None,
            watched: HashSet::new(),
            skipped: HashSet::new(),
            polls: false,
            leased: HashSet::new(),
            gone: Vec::new(),
            hands: Arc::default(),
        })
    }

    /// What ends [`run`](Self::run) from elsewhere.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.inbox.clone())
    }

    /// Catches up with what changed while nobody watched, and goes on until it is [stopped](Stopper::stop). Each
    /// thing that it does or finds is told to `told`; it waits for that to return.
    ///
    /// Until it ends, the sessions of the files are open here: other programs are refused that would save to them or roll
    /// them back. One that a watch left open that was killed is taken over.
    ///
    /// # Errors
    /// `Locked` where one of the folders is being watched already; others where the store cannot be read or written at
    /// the beginning. Later, what fails is told and tried again.
    pub fn run(&mut self, told: Told<'_>) -> Result<Summary> {
        self.take_folders()?;
        let ran = self.go_on(told);
        self.leave();
        ran
    }

    fn go_on(&mut self, told: Told<'_>) -> Result<Summary> {
        let inbox = self.inbox.clone();
        match notify::recommended_watcher(move |event| inbox.tell(event)) {
            Ok(system) => self.system = Some(system),
            Err(error) => self.poll(&error.to_string(), told),
        }
        self.catch_up(true, told)?;
        let mut next_look = self.next_look();
        loop {
            self.work(told);
            if self.settling.due().is_none_or(|due| due > self.inbox.now()) {
                self.orphans = Some(HashMap::new());
            }
            let now = self.inbox.now();
            let due = self.settling.due().unwrap_or(Moment::MAX).min(next_look);
            let notes = self.inbox.take(due.saturating_sub(now));
            let stop = notes.stop;
            self.take_notes(notes, told);
            if stop {
                break;
            }
            if self.inbox.now() >= next_look {
                self.look_again(told);
                next_look = self.next_look();
            }
        }
        // What happened just now may not have been told yet.
        self.system = None;
        self.look_again(told);
        self.end(told);
        Ok(self.summary)
    }

    /// Catches up with what changed while nobody watched, waits for files that are being written as long as
    /// [`Settings::patience`] says, and ends. With [`Settings::dry_run`], nothing is kept.
    ///
    /// # Errors
    /// `Locked` where one of the folders is being watched; others where the store cannot be read or written at the
    /// beginning. Later, what fails is told.
    pub fn once(&mut self, told: Told<'_>) -> Result<Summary> {
        self.take_folders()?;
        let done = self.look_once(told);
        self.leave();
        done
    }

    fn look_once(&mut self, told: Told<'_>) -> Result<Summary> {
        self.catch_up(false, told)?;
        let end = self.inbox.now().saturating_add(self.settings.patience);
        loop {
            self.work(told);
            let now = self.inbox.now();
            let due = self.settling.due();
            let Some(due) = due.filter(|due| *due <= now || now < end) else {
                break;
            };
            let notes = self.inbox.take(due.min(end).saturating_sub(now));
            if notes.stop {
                break;
            }
        }
        self.end(told);
        Ok(self.summary)
    }

    fn next_look(&self) -> Moment {
        let wait = if self.polls {
            POLL.min(self.settings.look_again)
        } else {
            self.settings.look_again
        };
        self.inbox.now().saturating_add(wait)
    }

    /// What is pending is read as it is: there is no later.
    fn end(&mut self, told: Told<'_>) {
        self.finish_pending(told);
        self.summary.files = self.about.len();
        let trouble = self.about.values().filter(|about| about.trouble).count();
        self.summary.failed = u64::try_from(trouble).unwrap_or(u64::MAX);
        told(&Event::Ended {
            summary: self.summary,
        });
    }

    pub(crate) fn folder(&self, index: usize) -> &Path {
        self.folders.get(index).map_or(Path::new(""), |it| &it.path)
    }

    /// The session file at `path`, unless no session can be named after it.
    pub(crate) fn know(&mut self, path: &Path, told: Told<'_>) -> Option<File> {
        if let Some((file, _)) = self.about.get_key_value(path) {
            return Some(Arc::clone(file));
        }
        if self.engine.owns(path) {
            return None;
        }
        let mut folders = self.folders.iter().enumerate();
        let (folder, relative) = folders.find_map(|(index, folder)| {
            let relative = path.strip_prefix(&folder.path).ok()?;
            Some((index, relative.to_owned()))
        })?;
        let session = self
            .folders
            .get(folder)?
            .session(&self.settings.selection, &relative);
        let session = match session {
            Ok(session) => session,
            Err(error) => {
                self.skip(path, &error.to_string(), told);
                return None;
            }
        };
        let file: File = path.into();
        let about = About {
            session,
            folder,
            relative,
            checked: None,
            refused: None,
            trouble: false,
            moved_on: false,
            is_new: false,
            renamed_from: None,
        };
        self.about.insert(Arc::clone(&file), about);
        Some(file)
    }

    /// Says once that something is not watched.
    pub(crate) fn skip(&mut self, path: &Path, why: &str, told: Told<'_>) {
        if self.skipped.insert(path.to_owned()) {
            self.summary.skipped += 1;
            told(&Event::Skipped {
                file: path.to_owned(),
                message: why.to_owned(),
            });
        }
    }

    /// A file's state is kept, or need not be: that inode was this file.
    pub(crate) fn dealt_with(&mut self, file: &File, facts: Facts) {
        if let Some(before) = self
            .settling
            .done(file)
            .filter(|it| it.inode != facts.inode)
            && self.inodes.get(&before.inode) == Some(file)
        {
            self.inodes.remove(&before.inode);
        }
        self.inodes.insert(facts.inode, Arc::clone(file));
    }
}
