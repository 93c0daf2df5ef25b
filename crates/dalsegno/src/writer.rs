//! The one thread of a store that writes: it drains a queue and commits what has gathered.

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;

use crate::access::TokenHash;
use crate::batch::Batch;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::event::{self, Bus, Event, Happened};
use crate::guard::GuardPolicy;
use crate::head::Heads;
use crate::job::Job;
use crate::lease::Leases;
use crate::model::Snapshot;
use crate::repack::{self, repack};
use crate::shrink::{self, Guards};
use crate::store::{SessionRow, Store};

/// As many saves as one commit takes; more wait for the next.
const MAX_BATCH: usize = 65_536;

/// On close, a session with this many loose records is packed. A program that runs once per save
/// thus packs at every eighth, which costs it one more commit then.
const PACK_ON_CLOSE: usize = 8;

/// Tells what the writer does.
pub(crate) struct Teller {
    pub(crate) bus: Arc<Bus>,
    /// What this program is called.
    pub(crate) program: String,
    /// Who does what is done there.
    pub(crate) who: Arc<str>,
    pub(crate) token: Option<TokenHash>,
}

impl Teller {
    /// Tells of a new snapshot.
    pub(crate) fn saved(&self, snapshot: &Snapshot) {
        if !self.bus.has_listeners() {
            return;
        }
        if let Some(event) = Event::of(snapshot, Some(self.program.clone())) {
            self.bus.tell(&event);
        }
    }

    /// Tells that a session is another program's now.
    pub(crate) fn lost(&self, store: &dyn Store, session: &str, at: Timestamp, error: &Error) {
        let event = Event {
            at,
            what: Happened::LeaseLost {
                message: error.to_string(),
            },
            session: Some(session.to_owned()),
            actor: Some(self.program.clone()),
        };
        // It is lost all the same where that cannot be written.
        drop(event::notes::keep(store, &event));
        self.bus.tell(&event);
    }
}

enum Message {
    Save(Vec<Job>),
    /// The era of a session rose from that of this row, and nothing of it was taken away.
    Raised(Box<SessionRow>),
    /// Answer when everything before it is done.
    Flush(oneshot::Sender<()>),
    Close(oneshot::Sender<Result<()>>),
}

/// A handle of the writer thread.
pub(crate) struct Writer {
    sender: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, which keeps up to `cache` bytes of newest states in memory.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        leases: Arc<Leases>,
        teller: Teller,
        guards: Arc<[GuardPolicy]>,
        cache: usize,
    ) -> Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("dalsegno-writer".to_owned())
            .spawn(move || {
                let loose = HashMap::new();
                Thread {
                    store,
                    clock,
                    leases,
                    teller,
                    guards,
                    receiver,
                    heads: Heads::new(cache),
                    loose,
                    thin: HashSet::new(),
                }
                .run();
            })
            .map_err(|e| Error::io("starting the writer's thread", e))?;
        Ok(Self {
            sender,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Hands saves to the thread, to be committed together; gives them back where the thread has ended.
    pub(crate) fn send(&self, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        match self.sender.send(Message::Save(jobs)) {
            Err(mpsc::SendError(Message::Save(jobs))) => Err(jobs),
            _ => Ok(()),
        }
    }

    /// Tells that only the era of a session rose, from that of `row`.
    pub(crate) fn raised(&self, row: &SessionRow) {
        // Where the thread has ended, nothing is remembered.
        drop(self.sender.send(Message::Raised(Box::new(row.clone()))));
    }

    /// Waits until everything sent before is committed or refused.
    pub(crate) fn flush(&self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        self.sender
            .send(Message::Flush(reply))
            .map_err(|_| stopped())?;
        answer.recv().map_err(|_| stopped())
    }

    /// Finishes what was sent, packs, gives space back, and ends the thread.
    pub(crate) fn close(&self) -> Result<()> {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return Ok(()) };
        let (reply, answer) = oneshot::channel();
        let sent = self
            .sender
            .send(Message::Close(reply))
            .map_err(|_| stopped());
        let closed = sent.and_then(|()| answer.recv().map_err(|_| stopped()).flatten());
        thread.join().map_err(|_| stopped())?;
        closed
    }
}

fn stopped() -> Error {
    Error::storage("the store's writer has stopped")
}

struct Thread {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    leases: Arc<Leases>,
    teller: Teller,
    /// Those that this program gives itself.
    guards: Arc<[GuardPolicy]>,
    receiver: Receiver<Message>,
    heads: Heads,
    /// How many records of a session are in no block, as far as known.
    loose: HashMap<i64, usize>,
    /// The sessions of which a fuller state was kept, so that there may be more than are needed.
    thin: HashSet<String>,
}

impl Thread {
    fn run(mut self) {
        while let Some(first) = self.next() {
            let mut jobs = Vec::new();
            let mut message = Some(first);
            while let Some(Message::Save(more)) = message {
                jobs.extend(more);
                let room = jobs.len() < MAX_BATCH;
                message = room.then(|| self.receiver.try_recv().ok()).flatten();
            }
            if !jobs.is_empty() {
                let mut batch = Batch {
                    store: &*self.store,
                    clock: &*self.clock,
                    leases: &self.leases,
                    teller: &self.teller,
                    heads: &mut self.heads,
                    loose: &mut self.loose,
                    own_guards: &self.guards,
                    thin: &mut self.thin,
                };
                batch.save(jobs);
                // Nothing is lost where it fails; the next commit or close tries again.
                drop(self.store.tidy());
            }
            match message {
                Some(Message::Flush(reply)) => drop(reply.send(())),
                Some(Message::Close(reply)) => {
                    drop(reply.send(self.close()));
                    return;
                }
                Some(Message::Raised(row)) => self.heads.raised(&row),
                Some(Message::Save(_)) | None => {}
            }
        }
    }

    /// The next message; while there is none, sessions with a block's worth of records are packed, and those
    /// with more fuller states than are needed are rid of them.
    fn next(&mut self) -> Option<Message> {
        loop {
            match self.receiver.try_recv() {
                Ok(message) => return Some(message),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => {}
            }
            if let Some(session) = self.thin.iter().next().cloned() {
                self.thin.remove(&session);
                self.thin_out(&session);
                continue;
            }
            let full = self
                .loose
                .iter()
                .find(|(_, loose)| **loose >= repack::BLOCK);
            let Some(session) = full.map(|(session, _)| *session) else {
                return self.receiver.recv().ok();
            };
            // Packing only saves space. What it cannot read, `verify` reports and restoring refuses.
            let _packed = repack(&*self.store, session, repack::BLOCK);
            self.loose.insert(session, 0);
        }
    }

    /// What stays too long does no harm; the next time ends it, or a cleanup.
    fn thin_out(&self, session: &str) {
        let id = &self.store.info().id;
        let view = self.store.view();
        let guards = view.and_then(|view| Guards::read(&*view, id, &self.guards));
        drop(guards.and_then(|guards| {
            let who = &self.teller.who;
            shrink::thin(&*self.store, &*self.clock, &guards, session, who)
        }));
    }

    fn close(&mut self) -> Result<()> {
        let mut result = Ok(());
        for session in std::mem::take(&mut self.thin) {
            self.thin_out(&session);
        }
        for (session, loose) in std::mem::take(&mut self.loose) {
            if loose >= PACK_ON_CLOSE {
                result = result.and(repack(&*self.store, session, PACK_ON_CLOSE).map(|_| ()));
            }
        }
        result.and(self.store.settle())
    }
}
