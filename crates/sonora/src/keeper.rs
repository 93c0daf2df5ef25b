//! Keeping players: each is a session that is saved by itself.

use std::sync::Arc;
use std::time::Duration;

use dalsegno::retention::Rules;
use dalsegno::{AutoSave, AutoSaving, Result, State as Saved};

use crate::blocking::blocking;
use crate::player::Player;

/// How players are kept.
#[derive(Debug, Clone)]
pub struct Keeping {
    /// Sessions are called `APP/GUILD`: `sonora` unless said.
    pub app: String,
    /// How often a player is saved by itself, beside every change of what it plays: 30 s unless said.
    pub every: Duration,
    /// Which automatic snapshots are kept; all, unless said.
    pub keep: Option<Rules>,
    /// What this bot is called among those of the app, so that it can itself be asked, by its session `APP/bot/NAME`:
    /// for [`TAKE`](crate::TAKE). None unless said.
    pub name: Option<String>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            app: "sonora".to_owned(),
            every: Duration::from_secs(30),
            keep: None,
            name: None,
        }
    }
}

/// What keeps the players of a bot.
pub(crate) struct Keeper {
    pub(crate) saving: Arc<AutoSave>,
    pub(crate) keeping: Keeping,
}

impl Keeper {
    /// The session of a guild.
    pub(crate) fn session(&self, guild: u64) -> String {
        format!("{}/{guild}", self.keeping.app)
    }

    /// The session of the bot itself, where it has a name.
    pub(crate) fn own_session(&self) -> Option<String> {
        let Keeping { app, name, .. } = &self.keeping;
        name.as_ref().map(|name| format!("{app}/bot/{name}"))
    }

    /// Keeps a player from now on.
    pub(crate) async fn keep(&self, player: &Player) -> Result<()> {
        let mut how = AutoSaving::every(self.keeping.every)
            .jitter(0.1)
            .min_change(1)
            // What plays is what is so.
            .take_back();
        if let Some(rules) = &self.keeping.keep {
            how = how.keep(rules.clone());
        }
        let (saving, session) = (Arc::clone(&self.saving), self.session(player.guild()));
        let source = player.clone();
        blocking(move || {
            saving.register(&session, how, move || {
                if source.is_still() {
                    // Whoever has it stand still saves it.
                    return Ok(None);
                }
                let said = source.take_said();
                let state = Saved::document(source.document()?);
                Ok(Some(match said {
                    Some(words) => state.intent(words),
                    None => state,
                }))
            })
        })
        .await
        .map(drop)
    }
}
