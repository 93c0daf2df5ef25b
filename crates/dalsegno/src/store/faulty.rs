//! A store that fails where it is told to, around any other store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    Exchange, Flow, NoteRow, NoteScan, OperationRow, Outcome, PolicyRow, RecordRow, Scan,
    SessionRow, SnapshotRow, Store, StoreInfo, TrashRow, View, Write,
};
use crate::error::{Error, ErrorKind, Result};

/// A kind of call that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// [`Store::commit`].
    Commit,
    /// [`Store::exchange`].
    Exchange,
    /// [`Store::tidy`].
    Tidy,
    /// [`Store::settle`].
    Settle,
    /// [`Store::view`].
    View,
    /// Any method of a [`View`].
    Read,
}

impl Call {
    /// Every kind of call.
    pub const ALL: [Self; 6] = [
        Self::Commit,
        Self::Exchange,
        Self::Tidy,
        Self::Settle,
        Self::View,
        Self::Read,
    ];
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It does not happen.
    Before(ErrorKind),
    /// It happens, and the answer is lost on its way back.
    After(ErrorKind),
}

type Decide = dyn Fn(Call, usize) -> Option<Failure> + Send + Sync;

/// A store that hands every call on to another one, except where it fails.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    decide: Box<Decide>,
    counts: [AtomicUsize; Call::ALL.len()],
}

impl FaultyStore {
    /// Around `inner`. Before each call `decide` is asked whether it fails; it is told how many calls
    /// of this kind there were before. It may also do something first, or wait.
    pub fn new(
        inner: Arc<dyn Store>,
        decide: impl Fn(Call, usize) -> Option<Failure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner,
            decide: Box::new(decide),
            counts: Default::default(),
        }
    }

    /// Around `inner`: the `nth` call of this kind fails, counted from zero, and no other.
    #[must_use]
    pub fn failing(inner: Arc<dyn Store>, call: Call, nth: usize, failure: Failure) -> Self {
        Self::new(inner, move |asked, n| {
            (asked == call && n == nth).then_some(failure)
        })
    }

    /// How many calls of this kind there were.
    #[must_use]
    pub fn count(&self, call: Call) -> usize {
        self.counter(call)
            .map_or(0, |count| count.load(Ordering::SeqCst))
    }

    fn counter(&self, call: Call) -> Option<&AtomicUsize> {
        let place = Call::ALL.iter().position(|known| *known == call)?;
        self.counts.get(place)
    }

    fn call<T>(&self, call: Call, happen: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self
            .counter(call)
            .map_or(0, |count| count.fetch_add(1, Ordering::SeqCst));
        match (self.decide)(call, before) {
            None => happen(),
            Some(Failure::Before(kind)) => Err(error(call, kind)),
            Some(Failure::After(kind)) => happen().and_then(|_| Err(error(call, kind))),
        }
    }
}

fn error(call: Call, kind: ErrorKind) -> Error {
    Error::new(kind, format!("injected: {call:?}"))
}

impl Store for FaultyStore {
    fn info(&self) -> &StoreInfo {
        self.inner.info()
    }

    fn commit(&self, writes: &[Write]) -> Result<Vec<Outcome>> {
        self.call(Call::Commit, || self.inner.commit(writes))
    }

    fn exchange(&self, exchange: &Exchange) -> Result<bool> {
        self.call(Call::Exchange, || self.inner.exchange(exchange))
    }

    fn version(&self) -> Result<i64> {
        self.inner.version()
    }

    fn view(&self) -> Result<Box<dyn View + '_>> {
        let inner = self.call(Call::View, || self.inner.view())?;
        Ok(Box::new(FaultyView { store: self, inner }))
    }

    fn tidy(&self) -> Result<()> {
        self.call(Call::Tidy, || self.inner.tidy())
    }

    fn settle(&self) -> Result<()> {
        self.call(Call::Settle, || self.inner.settle())
    }
}

struct FaultyView<'a> {
    store: &'a FaultyStore,
    inner: Box<dyn View + 'a>,
}

impl FaultyView<'_> {
    fn read<T>(&self, happen: impl FnOnce(&dyn View) -> Result<T>) -> Result<T> {
        self.store.call(Call::Read, || happen(&*self.inner))
    }
}

impl View for FaultyView<'_> {
    fn session(&self, name: &str) -> Result<Option<SessionRow>> {
        self.read(|view| view.session(name))
    }

    fn session_by_id(&self, id: i64) -> Result<Option<SessionRow>> {
        self.read(|view| view.session_by_id(id))
    }

    fn sessions(&self, visit: &mut dyn FnMut(SessionRow) -> Flow) -> Result<()> {
        self.read(|view| view.sessions(visit))
    }

    fn last_session(&self) -> Result<i64> {
        self.read(|view| view.last_session())
    }

    fn snapshot(&self, seq: i64) -> Result<Option<SnapshotRow>> {
        self.read(|view| view.snapshot(seq))
    }

    fn named(&self, name: &str) -> Result<Vec<i64>> {
        self.read(|view| view.named(name))
    }

    fn snapshots(&self, scan: &Scan, visit: &mut dyn FnMut(SnapshotRow) -> Flow) -> Result<()> {
        self.read(|view| view.snapshots(scan, visit))
    }

    fn record(&self, session: i64, seq: i64) -> Result<Option<RecordRow>> {
        self.read(|view| view.record(session, seq))
    }

    fn newest_block(&self, session: i64) -> Result<Option<RecordRow>> {
        self.read(|view| view.newest_block(session))
    }

    fn records(&self, visit: &mut dyn FnMut(RecordRow) -> Flow) -> Result<()> {
        self.read(|view| view.records(visit))
    }

    fn trashed(&self, seq: i64) -> Result<Option<TrashRow>> {
        self.read(|view| view.trashed(seq))
    }

    fn trash(&self, visit: &mut dyn FnMut(TrashRow) -> Flow) -> Result<()> {
        self.read(|view| view.trash(visit))
    }

    fn operations(
        &self,
        session: Option<i64>,
        visit: &mut dyn FnMut(OperationRow) -> Flow,
    ) -> Result<()> {
        self.read(|view| view.operations(session, visit))
    }

    fn policies(&self) -> Result<Vec<PolicyRow>> {
        self.read(|view| view.policies())
    }

    fn notes(&self, scan: &NoteScan, visit: &mut dyn FnMut(NoteRow) -> Flow) -> Result<()> {
        self.read(|view| view.notes(scan, visit))
    }

    fn note_kinds(&self) -> Result<Vec<i64>> {
        self.read(|view| view.note_kinds())
    }

    fn last(&self) -> Result<i64> {
        self.read(|view| view.last())
    }

    fn check_structure(&self) -> Result<Vec<String>> {
        self.read(|view| view.check_structure())
    }
}
