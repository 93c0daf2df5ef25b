//! Opening and closing many sessions in few exchanges: a store takes a thousand leases as one change.

use std::collections::HashSet;

use crate::attempt::until_done;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::lease::Standing;
use crate::model::{Action, check_session_name};
use crate::open::Opened;
use crate::store::{Exchange, Rows, View};

/// So many go together: others who write wait no longer for it than for a large save.
const TOGETHER: usize = 4_096;

impl Engine {
    /// Opens sessions as [`open_session`](Engine::open_session) does, all in one exchange. Each answer is for one, in
    /// their order; one that another program has open, or that is damaged, does not hold up the others.
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let bot = dalsegno::Engine::create(&path)?;
    /// let opened = bot.open_together(&["bot/1", "bot/2"])?;
    /// assert!(opened.iter().all(|opened| opened.is_ok()));
    /// assert!(bot.close_together(&["bot/1", "bot/2"])?.iter().all(|closed| closed.is_ok()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`open_session`](Engine::open_session), within for a single session; `Storage`, `Denied` or `Locked` where the
    /// store cannot be read or written at all: then some may be open.
    pub fn open_together<S: AsRef<str>>(&self, sessions: &[S]) -> Result<Vec<Result<Opened>>> {
        let writer = self.beating()?;
        self.flush()?;
        self.each(
            sessions,
            |chunk| {
                let answers =
                    until_done("who has the sessions", || self.try_open_all(chunk, writer))?;
                for opened in answers.iter().flatten() {
                    self.leases().hold(&opened.session, opened.epoch);
                }
                Ok(answers)
            },
            |session| self.open_session(session),
        )
    }

    /// Closes sessions as [`close_session`](Engine::close_session) does, all in one exchange.
    ///
    /// # Errors
    /// As [`close_session`](Engine::close_session), within for a single session; `Storage`, `Denied` or `Locked` where
    /// the store cannot be read or written at all: then some may still be open.
    pub fn close_together<S: AsRef<str>>(&self, sessions: &[S]) -> Result<Vec<Result<()>>> {
        self.flush()?;
        self.each(
            sessions,
            |chunk| {
                let answers = until_done("who has the sessions", || self.try_close_all(chunk))?;
                for session in chunk {
                    self.leases().forget(session);
                }
                Ok(answers)
            },
            |session| self.close_session(session),
        )
    }

    /// Does it with many at once; where others are always first, or one cannot be changed, with one after the other.
    fn each<S: AsRef<str>, T>(
        &self,
        sessions: &[S],
        mut together: impl FnMut(&[&str]) -> Result<Vec<Result<T>>>,
        mut one: impl FnMut(&str) -> Result<T>,
    ) -> Result<Vec<Result<T>>> {
        let sessions: Vec<&str> = sessions.iter().map(AsRef::as_ref).collect();
        let mut seen = HashSet::new();
        let mut answers = Vec::with_capacity(sessions.len());
        if !sessions.iter().all(|session| seen.insert(*session)) {
            return Ok(sessions.into_iter().map(one).collect());
        }
        for chunk in sessions.chunks(TOGETHER) {
            match together(chunk) {
                Ok(chunk) => answers.extend(chunk),
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    answers.extend(chunk.iter().map(|session| one(session)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(answers)
    }

    fn try_open_all(&self, sessions: &[&str], writer: i64) -> Result<Option<Vec<Result<Opened>>>> {
        let view = self.view()?;
        let mut number = view.last_session()?;
        let mut whole = Exchange::default();
        let mut answers = Vec::with_capacity(sessions.len());
        let rights = self.rights(Action::Open)?;
        for session in sessions {
            let answer = self
                .allow_by(&rights, Action::Open, Some(session))
                .and_then(|()| check_session_name(session))
                .and_then(|()| match self.leases().standing(session) {
                    Standing::Holder(epoch) => Ok(Opened {
                        session: (*session).to_owned(),
                        epoch,
                        was_closed: true,
                    }),
                    _ => {
                        let (exchange, opened) =
                            self.opening(&*view, session, number + 1, writer, false)?;
                        number += i64::from(!exchange.put.sessions.is_empty());
                        add(&mut whole, exchange);
                        Ok(opened)
                    }
                });
            answers.push(within(answer)?);
        }
        self.exchanged(view, &whole, answers)
    }

    fn try_close_all(&self, sessions: &[&str]) -> Result<Option<Vec<Result<()>>>> {
        let view = self.view()?;
        let mut whole = Exchange::default();
        let mut answers = Vec::with_capacity(sessions.len());
        for session in sessions {
            let answer = match self.leases().standing(session) {
                Standing::Stranger => Ok(()),
                Standing::Lost(error) => Err(error),
                Standing::Holder(epoch) => {
                    let closing = self.closing(&*view, session, epoch).flatten();
                    closing.map(|exchange| add(&mut whole, exchange))
                }
            };
            answers.push(within(answer)?);
        }
        self.exchanged(view, &whole, answers)
    }

    fn exchanged<T>(
        &self,
        view: Box<dyn View + '_>,
        whole: &Exchange,
        answers: Vec<Result<T>>,
    ) -> Result<Option<Vec<Result<T>>>> {
        drop(view);
        let done = *whole == Exchange::default() || self.store().exchange(whole)?;
        Ok(done.then_some(answers))
    }
}

/// What concerns one session is its answer; what concerns the store ends all.
fn within<T>(answer: Result<T>) -> Result<Result<T>> {
    let of_store = |error: &Error| matches!(error.kind(), ErrorKind::Storage | ErrorKind::Denied);
    match answer {
        Err(error) if of_store(&error) => Err(error),
        answer => Ok(answer),
    }
}

/// One exchange more, in the same change.
fn add(whole: &mut Exchange, one: Exchange) {
    let rows = |whole: &mut Rows, one: Rows| {
        whole.sessions.extend(one.sessions);
        whole.notes.extend(one.notes);
    };
    rows(&mut whole.take, one.take);
    rows(&mut whole.put, one.put);
    whole.raise.extend(one.raise);
}
