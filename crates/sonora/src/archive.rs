//! Snapshots that somebody took of a player: they are in its session, beside what is saved by itself.

use dalsegno::{Amendment, ErrorKind, GRACE, Kind, Query, Result, Snapshot, SnapshotId, Sort};

use crate::bot::Bot;
use crate::file::default_name;

/// The tag of snapshots that a player's timer took.
pub const AUTO_SAVED: &str = "auto-saved";

/// The snapshots that were taken of a player.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Archived {
    /// The oldest first.
    pub snapshots: Vec<Snapshot>,
    /// Those of which not even this can be read.
    pub damaged: Vec<SnapshotId>,
}

impl Bot {
    /// Takes a snapshot of a player, and keeps it until somebody deletes it; its text beside it. Without a name it is
    /// called by the guild and the time. `by_timer` tags it as [`AUTO_SAVED`]; `behalf` is for whom it is taken, which
    /// the audit log says.
    ///
    /// # Errors
    /// `NotFound` where the guild has no player; as saving.
    pub fn take_snapshot(
        &self,
        guild: u64,
        name: Option<&str>,
        by_timer: bool,
        behalf: Option<&str>,
    ) -> Result<(Snapshot, Vec<u8>)> {
        let player = self.own_player(guild)?;
        let said = player.take_said();
        let document = player.document()?;
        let text = document.to_text();
        let save = |label: &str| {
            let save = self
                .engine()
                .save_document(&self.session(guild), document.clone());
            let save = save.kind(Kind::Manual).label(label);
            let save = if by_timer { save.tag(AUTO_SAVED) } else { save };
            let save = match behalf {
                Some(who) => save.behalf(who),
                None => save,
            };
            match &said {
                Some(words) => save.intent(words),
                None => save,
            }
        };
        let now = jiff::Timestamp::now();
        let default = default_name(guild, now.as_second(), 1);
        let default = default.trim_end_matches(".json");
        let Some(name) = name else {
            let taken = match save(default).name(default).commit() {
                // The second one in this second.
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    let exact = format!("{default}_{:06}", now.subsec_microsecond());
                    save(&exact).name(&exact).commit()?
                }
                taken => taken?,
            };
            return Ok((taken, text.to_vec()));
        };
        let taken = save(name).commit()?;
        let taken = self.name_snapshot(&taken.id.to_string(), name)?;
        Ok((taken, text.to_vec()))
    }

    /// Names a snapshot. Another one of the player that had the name is still called so, but is no longer found by it.
    /// What can be no name of the engine's is its label alone.
    ///
    /// # Errors
    /// As [`Engine::amend`](dalsegno::Engine::amend).
    pub fn name_snapshot(&self, id: &str, name: &str) -> Result<Snapshot> {
        let engine = self.engine();
        let labelled = engine.amend(id, &Amendment::Label(Some(name.to_owned())))?;
        let renamed = match engine.rename(id, Some(name)) {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                for other in self.named(&labelled.session, name)? {
                    engine.rename(&other.id.to_string(), None)?;
                }
                engine.rename(id, Some(name))
            }
            renamed => renamed,
        };
        match renamed {
            Err(error) if error.kind() == ErrorKind::InvalidInput => engine.rename(id, None),
            renamed => renamed,
        }
    }

    fn named(&self, session: &str, name: &str) -> Result<Vec<Snapshot>> {
        let query = Query {
            name: Some(name.to_owned()),
            ..Query::session(session)
        };
        Ok(self.engine().list(&query)?.snapshots)
    }

    /// The snapshots that were taken of a guild's player, also before this start; those of `tags` alone, where there
    /// are any. What is saved by itself to survive a crash is not among them.
    ///
    /// # Errors
    /// `Damaged` or `Storage` where the store cannot be read.
    pub fn snapshots(&self, guild: u64, tags: &[&str]) -> Result<Archived> {
        let mut query = Query {
            kinds: vec![Kind::Manual, Kind::Import],
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            sort: Sort::Commit,
            reverse: true,
            limit: 1000,
            ..Query::session(self.session(guild))
        };
        let mut archived = Archived::default();
        loop {
            let page = match self.engine().list(&query) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(archived),
                page => page?,
            };
            archived.snapshots.extend(page.snapshots);
            archived.damaged.extend(page.damaged);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return Ok(archived),
            }
        }
    }

    /// Deletes the oldest snapshots that a player's timer took, so that `keep` are left; pinned ones stay. How many
    /// went; they are in the trash for a week.
    ///
    /// # Errors
    /// As [`snapshots`](Bot::snapshots) and [`Engine::delete`](dalsegno::Engine::delete).
    pub fn prune_snapshots(&self, guild: u64, keep: usize) -> Result<usize> {
        let own = self.snapshots(guild, &[AUTO_SAVED])?.snapshots;
        let beyond = own.len().saturating_sub(keep);
        let old: Vec<String> = own[..beyond]
            .iter()
            .filter(|it| !it.pinned)
            .map(|it| it.id.to_string())
            .collect();
        if !old.is_empty() {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            self.engine().delete(&old, GRACE)?;
        }
        Ok(old.len())
    }
}
