//! One player: what it plays, where, and how. It knows nothing of sessions and sockets; what is to be told of it
//! gathers in `news`.

use serde_json::{Value, json};

use crate::catalogue::Track;
use crate::events::{End, News};
use crate::filters::pace;
use crate::heard::Sound;
use crate::voice::VoiceServer;

/// A track that nobody takes the audio of ends after so many milliseconds.
const CLEANUP: u64 = 60_000;

#[derive(Clone, Debug)]
pub(crate) struct Player {
    pub(crate) playing: Option<Playing>,
    /// Percent.
    pub(crate) volume: u32,
    pub(crate) paused: bool,
    pub(crate) filters: Value,
    pub(crate) voice: Option<VoiceServer>,
    pub(crate) link: Option<Link>,
    pub(crate) connected: bool,
    pub(crate) news: Vec<News>,
}

/// A connection to a voice channel; its number tells it from earlier ones of the same player.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) task: Option<tokio::task::AbortHandle>,
}

#[derive(Clone, Debug)]
pub(crate) struct Playing {
    pub(crate) track: Track,
    pub(crate) user_data: Value,
    /// Where it is to end, in milliseconds.
    pub(crate) end_time: Option<u64>,
    /// When a server that drops tracks drops it.
    pub(crate) dropped_at: Option<u64>,
    /// Since when nobody takes its audio, if nobody does.
    unheard_since: u64,
    /// Its position at `since`, in milliseconds.
    position: f64,
    since: u64,
}

impl Playing {
    pub(crate) fn new(track: Track, position: u64, now: u64) -> Self {
        let position = if track.stream { 0 } else { position };
        Self {
            track,
            user_data: json!({}),
            end_time: None,
            dropped_at: None,
            unheard_since: now,
            position: position as f64,
            since: now,
        }
    }

    /// Goes on from elsewhere, unless it is a stream, in which nobody seeks.
    fn go_to(&mut self, position: u64, now: u64) -> bool {
        if !self.track.stream {
            (self.position, self.since) = (position as f64, now);
        }
        !self.track.stream
    }

    /// Where it ends, in milliseconds of the track.
    fn end(&self) -> Option<u64> {
        let length = (!self.track.stream).then_some(self.track.length);
        length.into_iter().chain(self.end_time).min()
    }
}

impl Default for Player {
    fn default() -> Self {
        Self {
            playing: None,
            volume: 100,
            paused: false,
            filters: json!({}),
            voice: None,
            link: None,
            connected: false,
            news: Vec::new(),
        }
    }
}

impl Player {
    /// Milliseconds of the track that pass in one of the clock.
    fn pace(&self) -> f64 {
        match self.connected && !self.paused {
            true => pace(&self.filters),
            false => 0.0,
        }
    }

    pub(crate) fn position(&self, now: u64) -> u64 {
        let Some(playing) = &self.playing else {
            return 0;
        };
        let passed = now.saturating_sub(playing.since) as f64;
        let position = (playing.position + passed * self.pace()) as u64;
        playing.end().map_or(position, |end| position.min(end))
    }

    /// When something happens to it by itself.
    pub(crate) fn due(&self) -> Option<u64> {
        let playing = self.playing.as_ref()?;
        let pace = self.pace();
        let ends = playing.end().filter(|_| pace > 0.0).map(|end| {
            let left = (end as f64 - playing.position).max(0.0) / pace;
            playing.since.saturating_add(left.ceil() as u64)
        });
        let unheard = (!self.connected).then(|| playing.unheard_since.saturating_add(CLEANUP));
        [ends, unheard, playing.dropped_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// What falls due at this moment.
    pub(crate) fn fall_due(&mut self, now: u64) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        let dropped = self.playing.as_ref().and_then(|it| it.dropped_at);
        if dropped.is_some_and(|at| at <= now) {
            self.playing = None;
            self.news.push(News::Sound(Sound::Stopped));
        } else if !self.connected {
            self.end(End::Cleanup, Sound::Stopped);
        } else {
            self.end(End::Finished, Sound::Ended);
        }
    }

    /// Does what changes the pace, and has the position go on from where it is.
    fn at_pace(&mut self, now: u64, change: impl FnOnce(&mut Self)) {
        let (before, position) = (self.pace(), self.position(now));
        change(self);
        if self.pace() != before
            && let Some(playing) = &mut self.playing
        {
            (playing.position, playing.since) = (position as f64, now);
        }
    }

    pub(crate) fn play(&mut self, playing: Playing) {
        if let Some(before) = self.playing.take() {
            self.news.push(News::End(before, End::Replaced));
        }
        self.news.push(News::Sound(Sound::Started {
            identifier: playing.track.identifier.clone(),
            position: playing.position as u64,
        }));
        self.news.push(News::Start(playing.clone()));
        self.news.push(News::Update);
        self.playing = Some(playing);
    }

    pub(crate) fn stop(&mut self) {
        self.end(End::Stopped, Sound::Stopped);
    }

    /// The track is over, for this reason.
    pub(crate) fn end(&mut self, end: End, sound: Sound) {
        if let Some(before) = self.playing.take() {
            self.news.push(News::Sound(sound));
            self.news.push(News::End(before, end));
        }
    }

    pub(crate) fn seek(&mut self, to: u64, now: u64) {
        let from = self.position(now);
        if let Some(playing) = &mut self.playing {
            if playing.go_to(to, now) {
                self.news.push(News::Sound(Sound::Sought { from, to }));
            }
            self.news.push(News::Update);
        }
    }

    pub(crate) fn set_paused(&mut self, paused: bool, now: u64) {
        if self.paused != paused {
            self.at_pace(now, |it| it.paused = paused);
            self.news.push(News::Sound(match paused {
                true => Sound::Paused,
                false => Sound::Unpaused,
            }));
        }
    }

    pub(crate) fn set_volume(&mut self, volume: u32) {
        if self.volume != volume {
            self.volume = volume;
            self.news.push(News::Sound(Sound::Volume(volume)));
        }
    }

    pub(crate) fn set_filters(&mut self, filters: Value, now: u64) {
        if self.filters != filters {
            self.news.push(News::Sound(Sound::Filters(filters.clone())));
            self.at_pace(now, |it| it.filters = filters);
        }
        self.news.push(News::Update);
    }

    pub(crate) fn set_connected(&mut self, connected: bool, now: u64) {
        if self.connected != connected {
            self.at_pace(now, |it| it.connected = connected);
            if let Some(playing) = &mut self.playing {
                playing.unheard_since = now;
            }
            self.news.push(News::Sound(match connected {
                true => Sound::Connected,
                false => Sound::Disconnected,
            }));
        }
    }

    /// Leaves the voice channel for good.
    pub(crate) fn disconnect(&mut self, now: u64) {
        if let Some(task) = self.link.take().and_then(|it| it.task) {
            task.abort();
        }
        self.set_connected(false, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn playing(length: u64) -> Player {
        let mut player = Player::default();
        player.play(Playing::new(Track::new("one", length), 1_000, 0));
        player
    }

    #[test]
    fn a_position_stands_without_voice_and_goes_on_with_it() {
        let mut player = playing(60_000);
        assert_eq!((player.position(500), player.due()), (1_000, Some(60_000)));
        player.set_connected(true, 500);
        assert_eq!((player.position(700), player.due()), (1_200, Some(59_500)));
        player.set_paused(true, 700);
        assert_eq!((player.position(9_000), player.due()), (1_200, None));
        player.set_paused(false, 9_000);
        assert_eq!(player.position(9_001), 1_201);
    }

    #[test]
    fn a_track_without_voice_is_cleaned_up() {
        let mut player = playing(600_000);
        player.set_connected(true, 0);
        player.set_connected(false, 90_000);
        assert_eq!(
            (player.position(99_000), player.due()),
            (91_000, Some(150_000))
        );
        player.fall_due(150_000);
        assert!(matches!(
            player.news.last(),
            Some(News::End(_, End::Cleanup))
        ));
    }

    #[test]
    fn a_track_goes_as_fast_as_its_filters() {
        let mut player = playing(60_000);
        player.set_connected(true, 0);
        player.set_filters(json!({"timescale": {"speed": 2.0}}), 1_000);
        assert_eq!(player.position(2_000), 4_000);
        player.set_filters(json!({}), 2_000);
        assert_eq!(player.position(3_000), 5_000);
    }

    #[test]
    fn an_end_time_ends_a_track_early() {
        let mut player = playing(60_000);
        player.set_connected(true, 0);
        player.playing.as_mut().unwrap().end_time = Some(3_000);
        assert_eq!(player.due(), Some(2_000));
        player.fall_due(1_999);
        assert!(player.playing.is_some());
        player.fall_due(2_000);
        assert!(player.playing.is_none());
        assert!(matches!(
            player.news.last(),
            Some(News::End(_, End::Finished))
        ));
    }
}
