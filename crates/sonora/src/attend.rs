//! What other programs ask of a bot: what the engine can do, and what only a bot can.

use std::sync::{Arc, Weak};

use dalsegno::{
    Attendant, Engine, Error, ErrorKind, Kind, Looking, Peer, Reply, Request, Restored, Result,
    State as Saved,
};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::ask;
use crate::client::Client;
use crate::deploying::{Deploying, take};
use crate::failed::note_failed;
use crate::keeper::Keeper;
use crate::left::guild_of;
use crate::player::{Component, Player, State, unreadable};

/// The deeds of the engine that put another state in the place of the player's.
const DEEDS: [&str; 6] = [
    "save",
    "rollback",
    "undo",
    "redo",
    "restore",
    "guard_restore",
];

/// A bot that attends to what others ask of its players.
pub(crate) struct Attends {
    pub(crate) client: Weak<Client>,
    pub(crate) engine: Weak<Engine>,
    pub(crate) keeper: Weak<Keeper>,
    pub(crate) app: String,
    /// The session of the bot itself.
    pub(crate) own: Option<String>,
    /// Players live in it.
    pub(crate) runtime: Handle,
}

impl Attends {
    fn engine(&self) -> Result<Arc<Engine>> {
        self.engine.upgrade().ok_or_else(stopped)
    }

    fn client(&self) -> Result<Arc<Client>> {
        self.client.upgrade().ok_or_else(stopped)
    }

    /// The player of a session, where it has one.
    fn player(&self, session: &str) -> Result<Option<Player>> {
        let guild = guild_of(&self.app, session);
        Ok(guild
            .map(|guild| Ok(self.client()?.player(guild)))
            .transpose()?
            .flatten())
    }

    /// What is asked of the bot itself.
    fn take(&self, request: &Request) -> Result<Value> {
        if request.verb != ask::TAKE {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "a bot itself is asked for {}, not for {}",
                    ask::TAKE,
                    request.verb
                ),
            ));
        }
        let deploying = Deploying {
            client: self.client()?,
            engine: self.engine()?,
            keeper: self.keeper.upgrade().ok_or_else(stopped)?,
        };
        self.runtime.block_on(take(&deploying, request))
    }

    fn own_player(&self, session: &str) -> Result<Player> {
        self.player(session)?
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{session} has no player now")))
    }

    /// The player stands still, and all that it has is saved.
    fn prepare(&self, request: &Request) -> Result<()> {
        if let (true, Some(text)) = (request.verb == "save", &request.state) {
            State::read(&ask::document(text)?)?;
        }
        let Some(player) = self.player(&request.session)? else {
            return Ok(());
        };
        let why = format!(
            "is changed by {}, which asked for it; try again",
            request.by
        );
        self.runtime.block_on(player.freeze(&why));
        // What is merged has to be a state like others.
        let kind = if request.verb == "guard_restore" {
            Kind::Auto
        } else {
            Kind::Safety
        };
        let saved = self.engine().and_then(|engine| {
            let mut save = engine.save_document(&request.session, player.document()?);
            if let Some(words) = player.take_said() {
                save = save.intent(words);
            }
            save.kind(kind)
                .label(format!("before {}", request.verb))
                .commit()
        });
        saved
            .map(drop)
            .inspect_err(|_| self.runtime.block_on(player.thaw()))
    }
}

impl Attendant for Attends {
    fn asked(&mut self, request: &Request) -> Result<Reply> {
        let verb = request.verb.as_str();
        if DEEDS.contains(&verb) {
            self.prepare(request)?;
            return Ok(Reply::CarryOut);
        }
        if self.own.as_ref() == Some(&request.session) {
            return self.take(request).map(Reply::Answer);
        }
        let (player, engine) = (self.own_player(&request.session)?, self.engine()?);
        let answer = match verb {
            ask::SAVE => ask::save(&engine, &player, request),
            ask::RESTORE => self
                .runtime
                .block_on(ask::restore(&engine, &player, request)),
            ask::QUEUE => ask::queue(&player),
            ask::STATE => ask::state(&player),
            other => Err(Error::new(
                ErrorKind::InvalidInput,
                format!(
                    "a bot does not know the verb '{other}'; it knows {} and {}",
                    DEEDS.join(", "),
                    ask::VERBS.join(", ")
                ),
            )),
        };
        answer.map(Reply::Answer)
    }

    fn load(&mut self, request: &Request, state: &Restored) -> Result<bool> {
        let Some(player) = self.player(&request.session)? else {
            return Ok(false);
        };
        let load = async {
            let data = ask::document(state.text())?;
            State::read(&data).map_err(unreadable(state.snapshot()))?;
            player.load_still(&data, &Component::ALL).await
        };
        let loaded = self.runtime.block_on(async {
            let loaded = load.await;
            match &loaded {
                Ok(_) => player.move_on(),
                Err(_) => player.thaw().await,
            }
            loaded
        });
        loaded.map(|_| true).map_err(|error| {
            let from = state.snapshot().id;
            let noted = self.engine().and_then(|engine| {
                let all = &Component::ALL;
                note_failed(&engine, &request.session, &player, Some(from), all, &error)
            });
            match noted {
                Ok(()) => error,
                Err(_) => error.context("the log could not be told that this failed"),
            }
        })
    }

    fn looking(&mut self) -> Option<Looking> {
        let (client, app) = (Weak::clone(&self.client), self.app.clone());
        Some(Box::new(move |request| {
            let look = match request.verb.as_str() {
                ask::QUEUE => ask::queue,
                ask::STATE => ask::state,
                _ => return None,
            };
            let guild = guild_of(&app, &request.session)?;
            let player = client.upgrade()?.player(guild)?;
            Some(look(&player))
        }))
    }

    fn failed(&mut self, request: &Request, _: &Error) {
        self.unfreeze(&request.session, "");
    }

    fn freeze(&mut self, session: &str, to: &Peer) -> Result<Option<Saved>> {
        let Some(player) = self.player(session)? else {
            return Ok(None);
        };
        let why = format!("is handed over to {to}");
        self.runtime.block_on(player.freeze(&why));
        let document = player.document();
        let document = document.inspect_err(|_| self.runtime.block_on(player.thaw()))?;
        let state = Saved::document(document);
        Ok(Some(match player.take_said() {
            Some(words) => state.intent(words),
            None => state,
        }))
    }

    fn unfreeze(&mut self, session: &str, _: &str) {
        if let Ok(Some(player)) = self.player(session) {
            self.runtime.block_on(player.thaw());
        }
    }

    fn handed_over(&mut self, session: &str, _: &Peer) {
        if let Ok(Some(player)) = self.player(session) {
            player.leave();
            // That its node cannot be told ends with the node's session.
            drop(self.runtime.block_on(player.end()));
        }
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Conflict, "the bot was stopped")
}
