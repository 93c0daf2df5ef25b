//! What a program does on a simulated disk, and what it was promised while it did.

use dalsegno::{Engine, Query, Result, SnapshotId};
use dalsegno_faults::{Disk, PowerLoss};
use dalsegno_proof::truth::all_there;
use dalsegno_proof::{Known, STORE, on, state};

/// A run of the program, until its end or the power's.
#[derive(Default)]
pub(crate) struct Evening {
    pub(crate) created: bool,
    pub(crate) acknowledged: Vec<Known>,
    /// Everything that it tried to save: session, name, text.
    tried: Vec<(String, Option<String>, Vec<u8>)>,
    /// Errors that it was told of.
    pub(crate) errors: Vec<dalsegno::Error>,
}

impl Evening {
    /// A new store, some saves of two sessions, closed; and a little more.
    pub(crate) fn from_nothing(disk: &Disk) -> Self {
        let mut evening = Self::default();
        let created = on(disk).create(STORE);
        evening.created = created.is_ok();
        if let Some(engine) = evening.note(created) {
            for n in 0..3 {
                evening.save(&engine, 0, n, (n == 1).then_some("boss"));
            }
            evening.save(&engine, 0, 2, None);
            evening.save_at_once(&engine, [(1, 0), (0, 3), (1, 1), (1, 1), (0, 4)]);
            evening.close(engine);
        }
        if let Some(engine) = evening.note(on(disk).open(STORE)) {
            evening.save(&engine, 1, 2, Some("boss"));
            evening.close(engine);
        }
        evening
    }

    /// A store with so many loose records that they are packed while the program runs, again when it
    /// ends, and once more by the next program.
    pub(crate) fn with_packing(disk: &Disk, before: &[Known]) -> Self {
        let mut evening = Self {
            created: true,
            acknowledged: before.to_vec(),
            ..Self::default()
        };
        if let Some(engine) = evening.note(on(disk).open(STORE)) {
            for n in 62..66 {
                evening.save(&engine, 0, n, (n == 63).then_some("late"));
                evening.save(&engine, 1, n - 50, None);
            }
            evening.note(engine.flush());
            evening.save(&engine, 0, 65, None);
            evening.close(engine);
        }
        if let Some(engine) = evening.note(on(disk).open(STORE)) {
            let numbers = [0, 0, 1, 0, 0, 0, 0, 1, 0, 0];
            for (who, n) in numbers.into_iter().zip(66..) {
                evening.save(&engine, who, n, None);
            }
            evening.restore(&engine);
            evening.close(engine);
        }
        evening
    }

    /// What was expected, or a note of what was not.
    pub(crate) fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }

    fn try_save<'a>(
        &mut self,
        engine: &'a Engine,
        who: u64,
        n: u64,
        name: Option<&str>,
    ) -> dalsegno::Save<'a> {
        let session = format!("s/{who}");
        let text = state(who, n);
        let mut save = engine.save_json(&session, text.clone());
        if let Some(name) = name {
            save = save.name(name).tag("named").meta("n", n);
        }
        self.tried.push((session, name.map(str::to_owned), text));
        save
    }

    pub(crate) fn save(&mut self, engine: &Engine, who: u64, n: u64, name: Option<&str>) {
        let saved = self.try_save(engine, who, n, name).commit();
        if let Some(snapshot) = self.note(saved) {
            let text = state(who, n);
            self.acknowledged.push(Known { snapshot, text });
        }
    }

    fn save_at_once<const N: usize>(&mut self, engine: &Engine, states: [(u64, u64); N]) {
        let tickets = states.map(|(who, n)| self.try_save(engine, who, n, None).submit());
        for (ticket, (who, n)) in tickets.into_iter().zip(states) {
            if let Some(snapshot) = self.note(ticket.wait()) {
                let text = state(who, n);
                self.acknowledged.push(Known { snapshot, text });
            }
        }
    }

    fn restore(&mut self, engine: &Engine) {
        let Some(old) = self.note(engine.restore("s/0@-20")) else {
            return;
        };
        self.tried
            .push(("s/0".to_owned(), None, old.text().to_vec()));
        let restored = engine.put_back("s/0@-20").apply();
        if let Some(snapshot) = self.note(restored).and_then(|report| report.head) {
            let text = old.into_text();
            self.acknowledged.push(Known { snapshot, text });
        }
    }

    fn close(&mut self, engine: Engine) {
        self.note(engine.close());
    }

    /// Everything that was acknowledged is there and whole; everything else that is there was tried,
    /// and is whole; and one can go on.
    pub(crate) fn check(&self, disk: &Disk) -> std::result::Result<(), String> {
        let engine = match on(disk).open(STORE) {
            Ok(engine) => engine,
            Err(_) if !self.created => match on(disk).create(STORE) {
                Ok(engine) => engine,
                Err(error) => return Err(format!("neither there nor can be made: {error}")),
            },
            Err(error) => return Err(format!("does not open: {error}")),
        };
        let more = self.check_content(&engine)?;
        let text = state(0, 99);
        let last = engine.save_json("s/0", text.clone()).commit();
        let snapshot = last.map_err(|error| format!("does not go on: {error}"))?;
        engine
            .close()
            .map_err(|error| format!("does not close: {error}"))?;
        let engine = on(disk).open(STORE).map_err(|error| error.to_string())?;
        all_there(&engine, &[Known { snapshot, text }])?;
        let again = self.check_content(&engine)?;
        if again == more + 1 {
            Ok(())
        } else {
            Err(format!("{more} became {again}"))
        }
    }

    /// Returns how many snapshots there are.
    fn check_content(&self, engine: &Engine) -> std::result::Result<usize, String> {
        let found = engine.verify(None).map_err(|error| error.to_string())?;
        if !found.is_intact() {
            return Err(format!("{:?}", found.damage));
        }
        all_there(engine, &self.acknowledged)?;
        let all = Query {
            limit: usize::MAX,
            ..Query::default()
        };
        let listed = engine.list(&all).map_err(|error| error.to_string())?;
        let acknowledged = |id: SnapshotId| self.acknowledged.iter().any(|k| k.snapshot.id == id);
        for snapshot in listed.snapshots.iter().filter(|s| !acknowledged(s.id)) {
            let restored = engine.restore(&snapshot.id.to_string());
            let text = restored.map_err(|error| error.to_string())?.into_text();
            let tried = self.tried.iter().any(|(session, name, tried)| {
                (session, name, tried) == (&snapshot.session, &snapshot.name, &text)
            });
            let last = text == state(0, 99) && snapshot.session == "s/0";
            if !tried && !last {
                return Err(format!("{snapshot:?} was never saved"));
            }
        }
        Ok(listed.snapshots.len())
    }
}

/// A disk with a store of two sessions, none of whose records is packed, as a kill leaves it.
pub(crate) fn unpacked() -> (Vec<(String, Vec<u8>)>, Vec<Known>) {
    let disk = Disk::new();
    let mut evening = Evening::default();
    let engine = on(&disk).create(STORE).unwrap();
    for n in 0..62 {
        evening.save(
            &engine,
            0,
            n,
            (n % 20 == 3).then(|| format!("n{n}")).as_deref(),
        );
        if n % 6 == 0 {
            evening.save(&engine, 1, n / 6, None);
            evening.save(&engine, 1, n / 6, None);
        }
    }
    assert!(evening.errors.is_empty());
    (files(&disk.crash(PowerLoss::Kept)), evening.acknowledged)
}

pub(crate) fn files(disk: &Disk) -> Vec<(String, Vec<u8>)> {
    let image = |path: String| disk.image(&path).map(|bytes| (path, bytes));
    disk.paths().into_iter().filter_map(image).collect()
}

pub(crate) fn disk_with(files: &[(String, Vec<u8>)]) -> Disk {
    let disk = Disk::new();
    for (path, bytes) in files {
        disk.put(path, bytes.clone());
    }
    disk
}
