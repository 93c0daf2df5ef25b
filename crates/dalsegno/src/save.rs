//! Saving: what a snapshot is made of, and waiting for it to be durable.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::codec::detail::{Detail, Mark, Origin};
use crate::document::{Document, split};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::job::{Content, Expect, Job};
use crate::model::{
    Action, Kind, Repaired, Snapshot, SnapshotId, check_session_name, check_snapshot_name,
};
use crate::show;
use crate::store::{By, NewOperation};

impl Engine {
    /// Prepares to save `value` as the newest state of `session`, as compact JSON.
    pub fn save<T: Serialize + ?Sized>(&self, session: &str, value: &T) -> Save<'_> {
        Save::new(self, session, Content::of(value))
    }

    /// Prepares to save JSON text, which is kept byte for byte, white space included.
    pub fn save_json(&self, session: &str, text: impl Into<Bytes>) -> Save<'_> {
        Save::new(self, session, Ok(Content::Text(text.into())))
    }

    /// Prepares to save a document whose parts are shared with the states before it: see
    /// [`DocumentBuilder`](crate::DocumentBuilder). Its turn is the one given with
    /// [`Save::turn`].
    pub fn save_document(&self, session: &str, document: Document) -> Save<'_> {
        Save::new(self, session, Ok(Content::Document(Arc::new(document))))
    }

    /// Hands saves to the writer together, so that one commit has all of them; each ticket tells what became of one.
    pub fn submit_together(&self, saves: Vec<Save<'_>>) -> Vec<Ticket> {
        let mut jobs = Vec::with_capacity(saves.len());
        let mut tickets = Vec::with_capacity(saves.len());
        for save in saves {
            let (reply, answer) = oneshot::channel();
            tickets.push(Ticket(match save.into_job(reply) {
                Ok(job) => {
                    jobs.push(job);
                    Waiting::For(answer)
                }
                Err(error) => Waiting::Failed(error),
            }));
        }
        if jobs.is_empty() {
            return tickets;
        }
        if let Err(error) = self.send(jobs) {
            // Their senders are gone, and nothing was saved.
            for ticket in &mut tickets {
                if matches!(ticket.0, Waiting::For(_)) {
                    ticket.0 = Waiting::Failed(error.clone());
                }
            }
        }
        tickets
    }

    pub(crate) fn save_again(&self, session: &str, seq: i64) -> Save<'_> {
        Save::new(self, session, Ok(Content::Again(seq)))
    }
}

/// A save in preparation: [`Engine::save`] and its kin begin one; [`commit`](Save::commit) or
/// [`submit`](Save::submit) ends it.
#[must_use = "nothing is saved before commit() or submit()"]
pub struct Save<'a> {
    engine: &'a Engine,
    session: String,
    content: Result<Content>,
    kind: Kind,
    name: Option<String>,
    created_at: Option<Timestamp>,
    pinned: bool,
    expect: Expect,
    operation: Option<NewOperation>,
    detail: Detail,
    min_change: u64,
    behalf: Option<String>,
    /// What it carries as its schema version is known, also where that is none.
    knows_version: bool,
}

/// The longest text of a label, description or tag, in bytes; metadata has it as a whole.
pub const MAX_DETAIL: usize = 64 << 10;

impl<'a> Save<'a> {
    pub(crate) fn new(engine: &'a Engine, session: &str, content: Result<Content>) -> Self {
        Self {
            engine,
            session: session.to_owned(),
            content,
            kind: Kind::Manual,
            name: None,
            created_at: None,
            pinned: false,
            expect: Expect::default(),
            operation: None,
            detail: Detail::default(),
            min_change: 0,
            behalf: None,
            knows_version: false,
        }
    }

    /// Names the snapshot; names are unique within a session.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A short text for people; need not be unique.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.detail.label = Some(label.into());
        self
    }

    /// A longer text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.detail.description = Some(description.into());
        self
    }

    /// Adds a word to filter by.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        if !self.detail.tags.contains(&tag) {
            self.detail.tags.push(tag);
        }
        self
    }

    /// Adds free metadata under `key`.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.detail.metadata.insert(key.into(), value.into());
        self
    }

    /// Why the snapshot is taken; [`Kind::Manual`] unless said.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The session's turn. Unless said, the document's top-level integer `turn_count`, else `turn`.
    pub fn turn(mut self, turn: i64) -> Self {
        self.detail.turn = Some(turn);
        self
    }

    /// The version of the document's schema. Unless said, the newest that the program's [migrations](crate::Migrations)
    /// lead to, if it has some for the session.
    pub fn schema_version(mut self, version: impl Into<String>) -> Self {
        self.detail.schema_version = Some(version.into());
        self
    }

    /// As [`schema_version`](Save::schema_version), also where it is known that there is none.
    pub(crate) fn known_version(mut self, version: Option<String>) -> Self {
        self.detail.schema_version = version;
        self.knows_version = true;
        self
    }

    /// Says that items of guarded lists are missing on purpose, and why: `clear`, `undo`, `compress`, `skip` or words
    /// of the program's own. They are not kept as a fuller state, and nothing brings them back by itself. Where the
    /// first word is `clear`, that goes for all that the lists had before, also for what they had lost by then.
    pub fn intent(mut self, words: impl Into<String>) -> Self {
        self.detail.intent = Some(words.into());
        self
    }

    /// Pins the snapshot, so that nothing deletes it: see [`Engine::pin`].
    pub fn pin(mut self) -> Self {
        self.pinned = true;
        self
    }

    /// Leaves the save out where what changed would take fewer bytes in the store; then the answer is the newest
    /// snapshot there is.
    pub(crate) fn min_change(mut self, bytes: u64) -> Self {
        self.min_change = bytes;
        self
    }

    /// When the state was taken, if not now: for imports.
    pub(crate) fn created_at(mut self, time: Timestamp) -> Self {
        self.created_at = Some(time);
        self
    }

    /// Saves only where `id` is still the session's newest snapshot: nobody saved since it was read.
    /// Otherwise the save is refused with `Conflict`.
    pub fn expect_newest(self, id: SnapshotId) -> Self {
        self.expect(Expect::Newest(id.seq()))
    }

    /// Saves only where the session does not exist yet. Otherwise the save is refused with `Conflict`.
    pub fn expect_new(self) -> Self {
        self.expect(Expect::NoSession)
    }

    /// Refused with `Conflict` where the session is not like that.
    pub(crate) fn expect(mut self, expect: Expect) -> Self {
        self.expect = expect;
        self
    }

    /// For whom it is done, where this program acts for others: the audit log says so.
    pub fn behalf(mut self, who: impl Into<String>) -> Self {
        self.behalf = Some(who.into());
        self
    }

    pub(crate) fn operation(mut self, operation: NewOperation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// It is the same again as one that a repair marked so.
    pub(crate) fn repaired(mut self, repaired: Option<&Repaired>) -> Result<Self> {
        let store = &self.engine.store().info().id;
        let mark = repaired.map(|it| show::mark(it, store));
        self.detail.repaired = mark.transpose()?;
        Ok(self)
    }

    /// It has the state of such a one, or what was made of it.
    pub(crate) fn of_repaired(self, repaired: Option<&Repaired>) -> Result<Self> {
        let mut save = self.repaired(repaired)?;
        save.detail.repaired = save.detail.repaired.and_then(Mark::of_state);
        Ok(save)
    }

    pub(crate) fn origin(mut self, origin: Origin) -> Self {
        self.detail.origin = Some(origin);
        self
    }

    /// Saves and waits until the snapshot is durable. Saves that wait at the same time share one
    /// commit.
    ///
    /// # Errors
    /// - `InvalidInput`: not JSON, too large, or a name that cannot be; nothing was saved.
    /// - `Conflict`: the session has a snapshot of that name.
    /// - `Locked`, `Denied`, `Storage`: the store could not be written; nothing was saved.
    /// - `Damaged`: the session's own row is damaged, so that its newest snapshot cannot be known; see
    ///   `verify`. Where only its newest state is damaged, the save is stored as a base of its own.
    pub fn commit(self) -> Result<Snapshot> {
        self.submit().wait()
    }

    /// Hands the save to the writer and returns at once; the ticket tells what became of it.
    pub fn submit(self) -> Ticket {
        let (reply, answer) = oneshot::channel();
        let engine = self.engine;
        let sent = self.into_job(reply).and_then(|job| engine.send(vec![job]));
        Ticket(match sent {
            Ok(()) => Waiting::For(answer),
            Err(error) => Waiting::Failed(error),
        })
    }

    /// Refuses what can be refused without a look at the store.
    pub(crate) fn check(&self) -> Result<()> {
        self.check_names()?;
        match &self.content {
            Ok(Content::Text(text)) => split(text, None).map(|_| ()),
            Ok(_) => Ok(()),
            Err(error) => Err(error.clone()),
        }
    }

    fn check_names(&self) -> Result<()> {
        check_session_name(&self.session)?;
        if let Some(name) = &self.name {
            check_snapshot_name(name)?;
        }
        check_detail(&self.detail)
    }

    /// What it is for the audit log, and for who may do it.
    fn action(&self) -> Action {
        match (&self.detail.origin, self.kind) {
            (Some(Origin::Restore(_)), _) => Action::Restore,
            (Some(Origin::Rollback(_)), _) => Action::Rollback,
            (Some(Origin::Undo(_)), _) => Action::Undo,
            (Some(Origin::Redo(_)), _) => Action::Redo,
            (Some(Origin::Fork(_)), _) => Action::Fork,
            (Some(Origin::Import(_)), _) | (None, Kind::Import) => Action::Import,
            (None, Kind::Manual) => Action::Save,
            (None, Kind::Auto) => Action::AutoSave,
            (None, Kind::Guard) => Action::Guard,
            (None, Kind::Safety) => Action::Safety,
        }
    }

    /// The schema version of what this program saves itself. What comes from elsewhere, or from an earlier state, has
    /// that which stands with it.
    fn own_version(&self) -> Option<String> {
        let own = self.detail.origin.is_none() && self.kind != Kind::Import;
        let newest = self.engine.migrations().newest(&self.session);
        newest
            .filter(|_| own && !self.knows_version)
            .map(str::to_owned)
    }

    fn into_job(self, reply: oneshot::Sender<Result<Snapshot>>) -> Result<Job> {
        self.check_names()?;
        let own_version = self.own_version();
        let now = self.engine.now();
        let by = By {
            action: self.action(),
            behalf: self.behalf,
            who: self.engine.who(),
        };
        let mut detail = self.detail;
        detail.schema_version = detail.schema_version.or(own_version);
        detail.actor = self.engine.actor().map(str::to_owned);
        Ok(Job {
            session: self.session,
            content: self.content?,
            kind: self.kind,
            name: self.name,
            now,
            created_at: self.created_at.unwrap_or(now),
            detail,
            pinned: self.pinned,
            expect: self.expect,
            operation: self.operation,
            min_change: self.min_change,
            by,
            reply,
        })
    }
}

/// Refuses texts that cannot be kept.
pub(crate) fn check_detail(detail: &Detail) -> Result<()> {
    let metadata = serde_json::to_string(&detail.metadata)
        .map_err(|e| Error::invalid("the metadata cannot be written as JSON").with_source(e))?;
    let texts = [
        ("label", detail.label.as_deref()),
        ("description", detail.description.as_deref()),
        ("schema version", detail.schema_version.as_deref()),
        ("intent", detail.intent.as_deref()),
        ("metadata", Some(metadata.as_str())),
    ];
    let tags = detail.tags.iter().map(|tag| ("tag", Some(tag.as_str())));
    for (what, text) in texts.into_iter().chain(tags) {
        let len = text.map_or(0, str::len);
        if len > MAX_DETAIL {
            return Err(Error::invalid(format!(
                "the {what} has {len} bytes; the limit is {MAX_DETAIL}"
            )));
        }
    }
    if detail
        .intent
        .as_deref()
        .is_some_and(|words| words.trim().is_empty())
    {
        return Err(Error::invalid(
            "the intent is empty; say why items are missing, such as clear or undo, or leave it out",
        ));
    }
    // What is nested too deeply, or has a name that serde_json keeps for itself, would not come back.
    let again = (!detail.metadata.is_empty()).then(|| serde_json::from_str(&metadata));
    if again.is_some_and(|again| !again.is_ok_and(|again: Map<_, _>| again == detail.metadata)) {
        return Err(Error::invalid(
            "the metadata cannot be kept: it is nested too deeply, or has a reserved name",
        ));
    }
    match detail
        .tags
        .iter()
        .find(|t| t.trim().is_empty() || t.chars().any(char::is_control))
    {
        Some(tag) => {
            let tag = tag.escape_debug();
            Err(Error::invalid(format!(
                "the tag '{tag}' is empty or has control characters"
            )))
        }
        None => Ok(()),
    }
}

/// The promise of a save: wait for it, or `.await` it. Dropping it does not undo the save.
#[must_use = "only the ticket tells whether the snapshot was saved"]
pub struct Ticket(Waiting);

enum Waiting {
    For(oneshot::Receiver<Result<Snapshot>>),
    Failed(Error),
}

impl Ticket {
    /// Waits until the snapshot is durable.
    ///
    /// # Errors
    /// As [`Save::commit`].
    pub fn wait(self) -> Result<Snapshot> {
        match self.0 {
            Waiting::For(answer) => answer.recv().unwrap_or_else(|_| Err(stopped())),
            Waiting::Failed(error) => Err(error),
        }
    }
}

impl IntoFuture for Ticket {
    type Output = Result<Snapshot>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.0 {
                Waiting::For(answer) => answer.await.unwrap_or_else(|_| Err(stopped())),
                Waiting::Failed(error) => Err(error),
            }
        })
    }
}

fn stopped() -> Error {
    Error::storage("the store's writer has stopped; whether the snapshot was saved is not known")
}
