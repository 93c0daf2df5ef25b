//! What a bot has a player do. Each returns once the node has done it; where it fails, the player is as it was.

use std::time::Instant;

use dalsegno::{Error, ErrorKind, Result};

use super::{Next, Player, State};
use crate::event::Happened;
use crate::filters::Filters;
use crate::lavalink::{PlayerChange, TrackChange, VoiceServer};
use crate::queue::{LoopMode, Part, Why};
use crate::track::Track;

impl Player {
    /// Connects to a voice channel, by what Discord's gateway gave for it. A track that should play there begins, if the
    /// node does not play it already.
    ///
    /// # Errors
    /// Of the node: `Unreachable`, `Denied`, `InvalidInput`.
    pub async fn connect(&self, voice: VoiceServer) -> Result<()> {
        let _turn = self.free_turn().await?;
        let change = PlayerChange {
            voice: Some(voice.clone()),
            ..PlayerChange::default()
        };
        let there = self.tell(&change).await?;
        let position = {
            let mut state = self.locked();
            state.channel = voice.channel();
            // A node throws away what nobody hears for a while.
            let gone = there.track.is_none() && state.queue.current.is_some();
            gone.then(|| state.position())
        };
        self.keep_voice(Some(voice));
        if let Some(position) = position {
            self.begin(position).await?;
        }
        self.changed(None);
        Ok(())
    }

    /// Joins a voice channel through the client's [`Voice`](crate::Voice).
    ///
    /// # Errors
    /// `Denied` or `NotFound` where Discord does not let it in; `InvalidInput` where the client has no voice; and as
    /// [`connect`](Player::connect).
    pub async fn join(&self, channel: u64) -> Result<()> {
        let voice = self.world()?.join(self.guild(), channel).await?;
        self.connect(voice).await
    }

    /// Plays a track now. The one that played goes to the history.
    ///
    /// # Errors
    /// Of the node; `InvalidInput` or `NotFound` where it cannot be played.
    pub async fn play(&self, track: Track) -> Result<()> {
        self.replace("play", |state| {
            state.queue.add(track, Some(0))?;
            let looped = std::mem::replace(&mut state.queue.loop_mode, LoopMode::None);
            state.queue.advance(Why::Skipped);
            state.queue.loop_mode = looped;
            state.paused = false;
            Ok(Next::Play)
        })
        .await
    }

    /// Goes on to the next track; where there is none, autoplay finds one, or it stops.
    ///
    /// # Errors
    /// Of the node.
    pub async fn skip(&self) -> Result<()> {
        self.replace(
            "skip",
            |state| Ok(state.go_on(Why::Skipped, Instant::now())),
        )
        .await
    }

    /// Goes on to the upcoming track at `position`, counted from 0.
    ///
    /// # Errors
    /// `InvalidInput` where there is none; of the node.
    pub async fn skip_to(&self, position: usize) -> Result<()> {
        self.replace("skip", |state| {
            state.queue.skip_to(position).map(|_| Next::Play)
        })
        .await
    }

    /// Goes back to the track before.
    ///
    /// # Errors
    /// `NotFound` where there is none; of the node.
    pub async fn back(&self) -> Result<()> {
        self.replace("back", |state| match state.queue.back() {
            Some(_) => Ok(Next::Play),
            None => Err(Error::new(
                ErrorKind::NotFound,
                "no track was played before this one",
            )),
        })
        .await
    }

    /// Stops: nothing plays, and the queue stays.
    ///
    /// # Errors
    /// Of the node.
    pub async fn stop(&self) -> Result<()> {
        self.replace("stop", |state| {
            if let Some(over) = state.queue.current.take() {
                state
                    .queue
                    .insert(Part::History, state.queue.history.len(), over)?;
            }
            Ok(Next::Silence)
        })
        .await
    }

    /// Pauses, or plays on.
    ///
    /// # Errors
    /// Of the node.
    pub async fn pause(&self, paused: bool) -> Result<()> {
        let change = PlayerChange {
            paused: Some(paused),
            ..PlayerChange::default()
        };
        self.adjust(change, |state| {
            let now = Instant::now();
            let position = state.position_at(now);
            state.paused = paused;
            state.reach(position, now);
        })
        .await
    }

    /// Goes on with the current track from `position`, in milliseconds.
    ///
    /// # Errors
    /// `InvalidInput` where nothing plays, or it cannot be sought in; of the node.
    pub async fn seek(&self, position: u64) -> Result<()> {
        let seekable = self
            .locked()
            .queue
            .current
            .as_ref()
            .map(|track| track.info.is_seekable && !track.info.is_stream);
        match seekable {
            None => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "nothing plays that could be sought in",
                ));
            }
            Some(false) => {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    "this track cannot be sought in",
                ));
            }
            Some(true) => {}
        }
        let change = PlayerChange {
            position: Some(position),
            ..PlayerChange::default()
        };
        self.adjust(change, |state| state.reach(position, Instant::now()))
            .await
    }

    /// Sets the volume, from 0 to 1000; 100 is as loud as the track is.
    ///
    /// # Errors
    /// `InvalidInput` for another volume; of the node.
    pub async fn set_volume(&self, volume: u16) -> Result<()> {
        check_volume(volume)?;
        let change = PlayerChange {
            volume: Some(volume),
            ..PlayerChange::default()
        };
        self.adjust(change, |state| state.volume = volume).await
    }

    /// Sets all filters: what is not among them is off.
    ///
    /// # Errors
    /// Of the node; `InvalidInput` where it refuses them.
    pub async fn set_filters(&self, filters: Filters) -> Result<()> {
        let change = PlayerChange {
            filters: Some(filters.payload()),
            ..PlayerChange::default()
        };
        self.adjust(change, |state| {
            let now = Instant::now();
            let position = state.position_at(now);
            state.filters = filters;
            state.reach(position, now);
        })
        .await
    }

    /// Changes what its node need not know: the upcoming tracks, the history, the loop, autoplay, settings. `intent` says why items may be
    /// missing afterwards, such as `clear` or `remove`; nothing where none are.
    ///
    /// # Errors
    /// What `change` answers; then nothing is changed.
    pub fn edit<T>(
        &self,
        intent: Option<&str>,
        change: impl FnOnce(&mut State) -> Result<T>,
    ) -> Result<T> {
        let mut state = self.locked();
        self.check_moves()?;
        let mut edited = state.clone();
        let done = change(&mut edited)?;
        edited.edits += 1;
        *state = edited;
        drop(state);
        self.changed(intent);
        Ok(done)
    }

    /// Ends the player on its node, empties it, and forgets it here. Its snapshots stay.
    ///
    /// # Errors
    /// Of the node; then it is still there.
    pub async fn destroy(&self) -> Result<()> {
        let _turn = self.free_turn().await?;
        if let Some(node) = self.node() {
            node.end(self.guild()).await?;
        }
        *self.locked() = State::default();
        self.keep_voice(None);
        self.changed(Some("destroy"));
        self.world()?.forget(self.guild());
        Ok(())
    }

    /// Changes something that keeps playing: the node first, then the state.
    async fn adjust(&self, change: PlayerChange, apply: impl FnOnce(&mut State)) -> Result<()> {
        let _turn = self.free_turn().await?;
        let node = self.seated()?;
        let session = node.session();
        node.change(self.guild(), &change).await?;
        self.sit_in(session);
        apply(&mut self.locked());
        self.changed(None);
        Ok(())
    }

    /// Changes what plays. Where the node does not do it, the state is as it was.
    async fn replace(
        &self,
        intent: &str,
        change: impl FnOnce(&mut State) -> Result<Next>,
    ) -> Result<()> {
        let _turn = self.free_turn().await?;
        let (before, next) = {
            let mut state = self.locked();
            let mut edited = state.clone();
            let next = change(&mut edited)?;
            edited.end_time = None;
            edited.starting = next == Next::Play;
            edited.reach(0, Instant::now());
            (std::mem::replace(&mut *state, edited), next)
        };
        let done = match next {
            Next::Play => self.begin(0).await,
            // It stops first: what autoplay finds may take a while.
            Next::Find | Next::Silence => self.silence().await,
            Next::Nothing => Ok(()),
        };
        if let Err(error) = done {
            let mut state = self.locked();
            if state.edits != before.edits {
                drop(state);
                self.changed(Some(intent));
                return Err(error.context("the queue was changed meanwhile, and has moved on"));
            }
            *state = before;
            return Err(error);
        }
        self.changed(Some(intent));
        if next == Next::Find {
            self.carry_out(next).await;
        } else if next == Next::Silence {
            self.happened(Happened::QueueEmpty);
        }
        Ok(())
    }

    /// The node plays nothing.
    pub(crate) async fn silence(&self) -> Result<()> {
        let change = PlayerChange {
            track: Some(TrackChange::stop()),
            ..PlayerChange::default()
        };
        self.tell(&change).await.map(drop)
    }
}

fn check_volume(volume: u16) -> Result<()> {
    if volume > 1000 {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("a volume of {volume}; it is from 0 to 1000"),
        ));
    }
    Ok(())
}
