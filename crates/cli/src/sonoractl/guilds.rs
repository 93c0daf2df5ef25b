//! Which guilds there are, who has them, and which snapshot is meant.

use std::collections::BTreeSet;
use std::time::Duration;

use dalsegno::{Answer, Engine, ErrorKind, Holder, Holding, Snapshot};
use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::human;
use crate::verb::asking;

/// How many guilds an error names.
const SHOWN: usize = 20;

/// The players of a store.
pub(super) struct Guilds<'a> {
    pub(super) engine: &'a Engine,
    pub(super) app: String,
}

impl Guilds<'_> {
    /// The session of a guild.
    pub(super) fn session(&self, guild: u64) -> String {
        format!("{}/{guild}", self.app)
    }

    /// The guild of a session, if it is a player's.
    pub(super) fn guild(&self, session: &str) -> Option<u64> {
        session
            .strip_prefix(&*self.app)?
            .strip_prefix('/')?
            .parse()
            .ok()
    }

    /// Who has which guild open, or had it last, by guild.
    pub(super) fn holders(&self) -> Result<Vec<(u64, Holder)>> {
        let holders = self.engine.holders()?.into_iter();
        let own = holders.filter_map(|it| Some((self.guild(&it.session)?, it)));
        let mut own: Vec<_> = own.collect();
        own.sort_by_key(|(guild, _)| *guild);
        Ok(own)
    }

    /// The guilds that a running bot has, by number.
    pub(super) fn running(&self) -> Result<Vec<u64>> {
        let holders = self.holders()?.into_iter();
        let open = holders.filter(|(_, holder)| holder.standing == Holding::Open);
        Ok(open.map(|(guild, _)| guild).collect())
    }

    /// The guilds that have stored states, by number.
    pub(super) fn stored(&self) -> Result<Vec<u64>> {
        let sessions = self.engine.sessions()?;
        let mut guilds: Vec<_> = sessions.iter().filter_map(|it| self.guild(it)).collect();
        guilds.sort_unstable();
        Ok(guilds)
    }

    /// Refuses a guild that neither a bot nor the store knows: most likely its number is a wrong one.
    pub(super) fn refuse_unknown(&self, guild: u64) -> Result<()> {
        let holders = self.holders()?.into_iter().map(|(guild, _)| guild);
        let known: BTreeSet<_> = self.stored()?.into_iter().chain(holders).collect();
        if known.contains(&guild) {
            return Ok(());
        }
        let shown: Vec<_> = known.iter().take(SHOWN).map(u64::to_string).collect();
        let there = match known.len() - shown.len() {
            _ if shown.is_empty() => "there is none yet".to_owned(),
            0 => format!("there are {}", shown.join(", ")),
            more => format!("there are {} and {more} more", shown.join(", ")),
        };
        Err(Failure::new(
            ErrorKind::NotFound,
            format!(
                "neither a bot nor the store knows guild {guild}: {there}; nothing was changed. Give --new if it is a new one"
            ),
        ))
    }

    /// The guilds that are meant, and whether a bot plays them: the one of `--guild-id`, else all that a bot has, else,
    /// where none runs, all that are stored.
    pub(super) fn meant(&self, guild: Option<u64>) -> Result<(Vec<u64>, bool)> {
        let running = self.running()?;
        if let Some(guild) = guild {
            return Ok((vec![guild], running.contains(&guild)));
        }
        if !running.is_empty() {
            return Ok((running, true));
        }
        let stored = self.stored()?;
        if stored.is_empty() {
            let app = human::safe(&self.app);
            return Err(Failure::new(
                ErrorKind::NotFound,
                format!(
                    "no bot runs, and the store has no session {app}/GUILD: see --app and --store"
                ),
            ));
        }
        Ok((stored, false))
    }

    /// The snapshot of that name, of that guild where one is named.
    pub(super) fn find_own(&self, name: &str, guild: Option<u64>) -> Result<Snapshot> {
        let found = self.find(name, guild)?;
        let its = self.guild(&found.session);
        of_guild(name, guild, its, &human::short(found.id))?;
        Ok(found)
    }

    /// The snapshot of that name. With a guild, its own comes before others'.
    pub(super) fn find(&self, name: &str, guild: Option<u64>) -> Result<Snapshot> {
        if name.is_empty() {
            return Err(Failure::usage(
                "the name is empty: give a snapshot's name, its id, or a file",
            ));
        }
        let place = name.strip_prefix('@');
        if let Some(guild) = guild {
            let own = format!("{}@{}", self.session(guild), place.unwrap_or(name));
            match self.engine.info(&own) {
                Err(error) if place.is_none() && is_none(error.kind()) => {}
                found => return Ok(found?),
            }
        } else if place.is_some() {
            let (name, app) = (human::safe(name), human::safe(&self.app));
            return Err(Failure::usage(format!(
                "of which guild is '{name}'? Give --guild-id, or {app}/GUILD{name}"
            )));
        }
        let found =
            self.engine
                .info(name)
                .map_err(|error| match (Failure::from(error), guild) {
                    (failure, None) if failure.is_of(ErrorKind::Ambiguous) => {
                        failure.advise("or its --guild-id")
                    }
                    (failure, Some(guild)) if failure.is_of(ErrorKind::Ambiguous) => {
                        failure.advise(&format!("guild {guild} itself has none of that name"))
                    }
                    (failure, _) => failure,
                })?;
        if self.guild(&found.session).is_none() {
            let (id, session) = (human::short(found.id), human::safe(&found.session));
            return Err(Failure::new(
                ErrorKind::InvalidInput,
                format!("{id} is of session {session}, which is no player's; see --app"),
            ));
        }
        Ok(found)
    }

    /// Asks the bot that has the guild.
    pub(super) fn ask(
        &self,
        guild: u64,
        verb: &str,
        given: (Value, Option<Vec<u8>>),
        timeout: Duration,
    ) -> Result<Answer> {
        asking::send(self.engine, &self.session(guild), verb, given, timeout)
    }
}

/// Refuses `what` was found by a name, where it is of another guild than the one that is named.
pub(super) fn of_guild(name: &str, guild: Option<u64>, its: Option<u64>, what: &str) -> Result<()> {
    match (guild, its) {
        (Some(guild), Some(its)) if its != guild => Err(Failure::new(
            ErrorKind::NotFound,
            format!(
                "guild {guild} has no snapshot '{}'; {what} is of guild {its}",
                human::safe(name)
            ),
        )),
        _ => Ok(()),
    }
}

/// For clap.
pub(super) fn guild_id(text: &str) -> Result<u64, &'static str> {
    let id = text.parse().ok().filter(|id| *id != 0);
    id.ok_or("a guild's id is a number, such as 123456789")
}

fn is_none(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::InvalidInput)
}
