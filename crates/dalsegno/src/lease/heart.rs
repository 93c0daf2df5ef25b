//! The thread that says that this program is still there.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::held::Leases;
use super::rows;
use crate::clock::Clock;
use crate::codec::note::{self, Process, Writer};
use crate::error::{Error, Result};
use crate::store::{Exchange, Flow, NoteRow, NoteScan, Row, Store};

/// The beating heart of a program that holds leases; it stops when this is dropped.
pub(crate) struct Heart {
    /// For a beat that somebody waits for; it ends the thread by being dropped.
    beats: Option<Sender<oneshot::Sender<Result<()>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Heart {
    /// Writes the note of this program, where it has sessions open the one that it had, and starts the thread that keeps
    /// it fresh.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        leases: Arc<Leases>,
        name: &str,
        ttl: Duration,
    ) -> Result<Self> {
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let mut beat = Beat {
            store,
            since: clock.now().as_microsecond(),
            clock,
            leases,
            name: name.to_owned(),
            process: Process::this(),
            ttl: millis,
            row: None,
        };
        match beat.leases.writer() {
            Some(id) => beat.go_on(id)?,
            None => beat.enter()?,
        }
        let (beats, asked) = mpsc::channel::<oneshot::Sender<Result<()>>>();
        // Two may be missed.
        let pause = ttl / 3;
        let thread = std::thread::Builder::new()
            .name("dalsegno-heart".to_owned())
            .spawn(move || {
                loop {
                    let reply = match asked.recv_timeout(pause) {
                        Ok(reply) => Some(reply),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => break,
                    };
                    // What fails now may work at the next beat; the leases hold that long.
                    let done = beat.beat();
                    if let Some(reply) = reply {
                        drop(reply.send(done));
                    }
                }
                drop(beat.leave());
            })
            .map_err(|e| Error::io("starting the thread of the leases", e))?;
        Ok(Self {
            beats: Some(beats),
            thread: Mutex::new(Some(thread)),
        })
    }
}

impl Heart {
    /// Says now how this program is, and waits until that is written.
    pub(crate) fn beat(&self) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        let sent = self.beats.as_ref().map(|beats| beats.send(reply));
        match sent {
            Some(Ok(())) => answer.recv().unwrap_or(Ok(())),
            _ => Ok(()),
        }
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        drop(self.beats.take());
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            drop(thread.join());
        }
    }
}

struct Beat {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    leases: Arc<Leases>,
    name: String,
    process: Process,
    ttl: u64,
    /// Since when it is there: in microseconds since 1970 (UTC).
    since: i64,
    /// As it stands in the store.
    row: Option<NoteRow>,
}

impl Beat {
    fn note(&self, id: i64) -> Result<NoteRow> {
        let writer = Writer {
            name: self.name.clone(),
            process: self.process.clone(),
            beat: self.clock.uptime(),
            ttl: self.ttl,
            since: self.since,
            attends: self.leases.attends(),
        };
        let key = (note::WRITER, 0, id);
        Ok(NoteRow::new(
            key,
            note::encode(&writer)?,
            &self.store.info().id,
        ))
    }

    /// Takes an id that nobody ever had, and clears away the notes of programs that are gone and hold nothing.
    fn enter(&mut self) -> Result<()> {
        let row = crate::attempt::until_done("the list of programs", || {
            let gone = self.look()?;
            let row = self.note(number(self.clock.random()))?;
            let exchange = Exchange::of_notes(gone, vec![row.clone()]);
            Ok(self.store.exchange(&exchange)?.then_some(row))
        })?;
        self.leases.set_writer(Some(row.id));
        self.row = Some(row);
        Ok(())
    }

    /// Takes up the note that it had; where somebody thought that this program was gone, it stands again.
    fn go_on(&mut self, id: i64) -> Result<()> {
        let row = crate::attempt::until_done("the list of programs", || {
            let view = self.store.view()?;
            let before = rows::writer_row(&*view, id)?;
            drop(view);
            let row = self.note(id)?;
            let exchange = Exchange::of_notes(before.into_iter().collect(), vec![row.clone()]);
            Ok(self.store.exchange(&exchange)?.then_some(row))
        })?;
        self.row = Some(row);
        Ok(())
    }

    /// The notes that nobody needs.
    fn look(&self) -> Result<Vec<NoteRow>> {
        let view = self.store.view()?;
        let id = &self.store.info().id;
        let needed: Vec<i64> = rows::all(&*view, id)?
            .into_iter()
            .filter_map(|(_, found)| found.ok().map(|found| found.lease.writer))
            .collect();
        let mut gone = Vec::new();
        let scan = NoteScan {
            kind: note::WRITER,
            session: Some(0),
            ..NoteScan::default()
        };
        view.notes(&scan, &mut |row| {
            let writer: Result<Writer> = note::decode(&row.detail);
            let dead = row.is_intact(id) && writer.is_ok_and(|it| !it.is_alive(&*self.clock));
            if dead && !needed.contains(&row.id) {
                gone.push(row);
            }
            Flow::Continue(())
        })?;
        Ok(gone)
    }

    fn beat(&mut self) -> Result<()> {
        let Some(before) = self.row.clone() else {
            return Ok(());
        };
        let next = self.note(before.id)?;
        // Where somebody thought that this program was gone, or the row is damaged, it stands again.
        for take in [vec![before], Vec::new()] {
            let exchange = Exchange::of_notes(take, vec![next.clone()]);
            if self.store.exchange(&exchange)? {
                self.row = Some(next);
                break;
            }
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        // As long as it holds a lease, its note says whose it was.
        if !self.leases.sessions().is_empty() {
            return Ok(());
        }
        let gone = self.row.take().into_iter().collect();
        self.leases.set_writer(None);
        let exchange = Exchange::of_notes(gone, Vec::new());
        self.store.exchange(&exchange).map(drop)
    }
}

/// A positive number of the 63 bits that come first.
pub(crate) fn number(random: [u8; 16]) -> i64 {
    let high = u128::from_be_bytes(random) >> 65;
    i64::try_from(high).unwrap_or(i64::MAX).max(1)
}
