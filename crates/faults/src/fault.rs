//! What is asked of the disk, counted, and which of it fails: the power, and injected faults.

use std::sync::Arc;

use rusqlite::ffi;
use sqlite_plugin::vfs::SqliteErr;

/// A kind of operation. The first four change what is, or will be, on the disk: these are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Bytes at an offset of a file.
    Write,
    /// A new length of a file.
    Truncate,
    /// What was written to a file is to be durable.
    Sync,
    /// A file loses its name.
    Delete,
    /// Bytes are read. Not counted.
    Read,
    /// A file is opened or created. Not counted: a file that was created and not written yet can
    /// not be told from one that is not there.
    Open,
}

impl Op {
    fn counted(self) -> bool {
        !matches!(self, Op::Read | Op::Open)
    }

    /// What SQLite's unix VFS says when the system call fails.
    pub(crate) fn error(self) -> SqliteErr {
        match self {
            Op::Write => ffi::SQLITE_IOERR_WRITE,
            Op::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
            Op::Sync => ffi::SQLITE_IOERR_FSYNC,
            Op::Delete => ffi::SQLITE_IOERR_DELETE,
            Op::Read => ffi::SQLITE_IOERR_READ,
            Op::Open => ffi::SQLITE_CANTOPEN,
        }
    }
}

/// How an operation fails while the power stays on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not happen; SQLite gets the I/O error of the operation.
    Io,
    /// It does not happen; SQLite gets `SQLITE_FULL`.
    Full,
    /// The first half of a write happens, then there is an I/O error. Others fail as with `Io`.
    Torn,
    /// It does not happen and the disk says that it did. No database can bear every such lie: for
    /// tests that damage is found.
    Lost,
}

/// One counted operation, for telling what a test stopped at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was asked for.
    pub op: Op,
    /// The file.
    pub path: Arc<str>,
    /// Of a write: where. Of a truncate: the new length.
    pub offset: usize,
    /// Of a write: how many bytes.
    pub len: usize,
}

#[derive(Debug)]
pub(crate) struct Injection {
    /// `None` stands for every counted operation.
    pub(crate) op: Option<Op>,
    /// So many of them pass before it strikes.
    pub(crate) skip: usize,
    pub(crate) once: bool,
    pub(crate) fault: Fault,
}

/// Counts the operations and decides what becomes of them.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    steps: Vec<Step>,
    stop: Option<usize>,
    off: bool,
    injections: Vec<Injection>,
}

impl Meter {
    /// Counts from zero again; operation `n` meets a disk without power.
    pub(crate) fn stop_at(&mut self, n: usize) {
        self.steps.clear();
        self.stop = Some(n);
    }

    pub(crate) fn off(&self) -> bool {
        self.off
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub(crate) fn inject(&mut self, injection: Injection) {
        self.injections.push(injection);
    }

    pub(crate) fn lift(&mut self) {
        self.injections.clear();
    }

    /// Refuses what comes after the power is gone.
    pub(crate) fn powered(&self, op: Op) -> Result<(), SqliteErr> {
        if self.off { Err(op.error()) } else { Ok(()) }
    }

    /// An operation is asked for. An error is the end of the power; otherwise the fault that it
    /// is to meet, if any.
    pub(crate) fn admit(
        &mut self,
        op: Op,
        path: &Arc<str>,
        offset: usize,
        len: usize,
    ) -> Result<Option<Fault>, SqliteErr> {
        self.powered(op)?;
        if op.counted() {
            if self.stop == Some(self.steps.len()) {
                self.off = true;
                return Err(op.error());
            }
            let path = Arc::clone(path);
            self.steps.push(Step {
                op,
                path,
                offset,
                len,
            });
        }
        Ok(self.strike(op))
    }

    /// Every injection counts this operation; the oldest one that is due strikes.
    fn strike(&mut self, op: Op) -> Option<Fault> {
        let mut struck = None;
        self.injections.retain_mut(|injection| {
            let meant = injection.op.map_or(op.counted(), |meant| meant == op);
            if !meant {
                return true;
            }
            if injection.skip > 0 {
                injection.skip -= 1;
                return true;
            }
            if struck.is_some() {
                return true;
            }
            struck = Some(injection.fault);
            !injection.once
        });
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_ends_at_the_operation_asked_for() {
        let path = Arc::from("a");
        let mut meter = Meter::default();
        assert_eq!(meter.admit(Op::Write, &path, 0, 1), Ok(None));
        meter.stop_at(2);
        assert_eq!(meter.admit(Op::Write, &path, 0, 1), Ok(None));
        assert_eq!(meter.admit(Op::Read, &path, 0, 1), Ok(None));
        assert_eq!(meter.admit(Op::Sync, &path, 0, 0), Ok(None));
        assert!(!meter.off());
        let gone = meter.admit(Op::Delete, &path, 0, 0);
        assert_eq!(gone, Err(ffi::SQLITE_IOERR_DELETE));
        assert!(meter.off());
        assert_eq!(meter.steps().len(), 2);
        let gone = meter.admit(Op::Read, &path, 0, 0);
        assert_eq!(gone, Err(ffi::SQLITE_IOERR_READ));
    }

    #[test]
    fn faults_strike_what_they_mean() {
        let path = Arc::from("a");
        let mut meter = Meter::default();
        let inject = |op, skip, once, fault| Injection {
            op,
            skip,
            once,
            fault,
        };
        meter.inject(inject(Some(Op::Sync), 1, true, Fault::Io));
        meter.inject(inject(None, 3, true, Fault::Full));
        meter.inject(inject(Some(Op::Read), 0, false, Fault::Torn));
        let mut ask = |op| meter.admit(op, &path, 0, 0);
        assert_eq!(ask(Op::Sync), Ok(None));
        assert_eq!(ask(Op::Read), Ok(Some(Fault::Torn)));
        assert_eq!(ask(Op::Write), Ok(None));
        assert_eq!(ask(Op::Sync), Ok(Some(Fault::Io)));
        assert_eq!(ask(Op::Sync), Ok(Some(Fault::Full)));
        assert_eq!(ask(Op::Sync), Ok(None));
        assert_eq!(ask(Op::Read), Ok(Some(Fault::Torn)));
        meter.lift();
        assert_eq!(meter.admit(Op::Read, &path, 0, 0), Ok(None));
    }
}
