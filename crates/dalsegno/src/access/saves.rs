//! Saves, on their way into the store: each is asked for once more there, because what may be done changes.

use super::rights::Rights;
use crate::error::{ErrorKind, Result};
use crate::job::Job;
use crate::store::{Exchange, Said, Store};

/// Those that may be done; the others are answered here.
pub(crate) fn allowed(store: &dyn Store, jobs: Vec<Job>, rights: Result<Rights>) -> Vec<Job> {
    if matches!(rights, Ok(Rights::All)) {
        return jobs;
    }
    let mut allowed = Vec::with_capacity(jobs.len());
    for job in jobs {
        let checked = match &rights {
            Ok(rights) => rights.check(job.by.action, Some(&job.session)),
            Err(error) => Err(error.clone()),
        };
        match checked {
            Ok(()) => allowed.push(job),
            Err(error) => {
                if error.kind() == ErrorKind::Denied {
                    let at = job.now.as_microsecond();
                    let said = Said::denied(job.by.clone(), at, Some(&job.session));
                    drop(store.exchange(&Exchange::default().say(said)));
                }
                job.answer(Err(error));
            }
        }
    }
    allowed
}
