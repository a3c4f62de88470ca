//! The log's last events in memory, so that followers close to the head do not read them from the database.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use proto::event::v1::Event;

/// How many events are kept.
const MOST: usize = 1_024;

/// The last events this process has written, without a gap. Clones are the same events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<VecDeque<Arc<Event>>>>);

/// What is known of the events after a position.
#[derive(Debug, PartialEq)]
pub(crate) enum After {
    /// These come next.
    Events(Vec<Arc<Event>>),
    /// This process has written none; another may have.
    Nothing,
    /// They are too long ago, or another process has written them.
    Unknown,
}

impl Recent {
    /// Adds events that were committed; returns whether they follow those before. What another process has written in between
    /// is missing: then the events before it are dropped.
    pub(crate) fn add(&self, events: &[Event]) -> bool {
        let mut recent = self.events();
        let follows = recent.back().map(|last| last.position + 1) == events.first().map(|first| first.position);
        if !follows {
            recent.clear();
        }
        recent.extend(events.iter().cloned().map(Arc::new));
        let excess = recent.len().saturating_sub(MOST);
        recent.drain(..excess);
        follows
    }

    /// Drops the events when another process has written up to this position, which those who follow have to read.
    pub(crate) fn forget_before(&self, position: i64) {
        let mut recent = self.events();
        if recent.back().is_some_and(|last| last.position < position) {
            recent.clear();
        }
    }

    /// At most `limit` events after a position.
    pub(crate) fn after(&self, position: i64, limit: usize) -> After {
        let recent = self.events();
        let (Some(first), Some(last)) = (recent.front(), recent.back()) else { return After::Unknown };
        if position >= last.position {
            return After::Nothing;
        }
        match usize::try_from(position + 1 - first.position) {
            Ok(skip) => After::Events(recent.iter().skip(skip).take(limit).cloned().collect()),
            Err(_) => After::Unknown,
        }
    }

    fn events(&self) -> MutexGuard<'_, VecDeque<Arc<Event>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(positions: std::ops::Range<i64>) -> Vec<Event> {
        positions.map(|position| Event { position, ..Event::default() }).collect()
    }

    fn after(recent: &Recent, position: i64) -> Option<Vec<i64>> {
        match recent.after(position, 3) {
            After::Events(events) => Some(events.iter().map(|event| event.position).collect()),
            After::Nothing => Some(Vec::new()),
            After::Unknown => None,
        }
    }

    #[test]
    fn a_close_follower_is_given_what_comes_next() {
        let recent = Recent::default();
        assert_eq!(after(&recent, 0), None);
        recent.add(&events(5..8));
        recent.add(&events(8..10));
        assert_eq!(after(&recent, 4), Some(vec![5, 6, 7]));
        assert_eq!(after(&recent, 8), Some(vec![9]));
        assert_eq!(after(&recent, 9), Some(Vec::new()));
        assert_eq!(after(&recent, 3), None);
    }

    #[test]
    fn what_another_process_has_written_is_never_skipped() {
        let recent = Recent::default();
        recent.add(&events(1..4));
        recent.add(&events(6..8));
        assert_eq!(after(&recent, 3), None);
        assert_eq!(after(&recent, 5), Some(vec![6, 7]));
        recent.forget_before(7);
        assert_eq!(after(&recent, 7), Some(Vec::new()));
        recent.forget_before(8);
        assert_eq!(after(&recent, 7), None);
    }

    #[test]
    fn the_oldest_go_first() {
        let recent = Recent::default();
        let many = i64::try_from(MOST).unwrap();
        recent.add(&events(1..many + 2));
        assert_eq!(after(&recent, 0), None);
        assert_eq!(after(&recent, 1), Some(vec![2, 3, 4]));
    }
}
