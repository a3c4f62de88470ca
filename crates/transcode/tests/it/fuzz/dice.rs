//! Reproducible choices.

#![expect(clippy::cast_possible_truncation, reason = "any value will do")]

/// A source of choices that are derived from a seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// Any number (splitmix64).
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    pub(super) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// Small and large numbers, and the edges.
    pub(super) fn number(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => self.below(3),
            2 => self.below(200),
            3 => u64::MAX - self.below(3),
            4 => 1 << self.below(64),
            _ => self.roll(),
        }
    }

    pub(super) fn text(&mut self) -> String {
        let letters = ['a', 'B', '"', '\\', '\n', '\u{1}', 'é', '😀', '<', '\u{2028}', ' ', '0', '\u{7f}', '/'];
        (0..self.below(6)).map(|_| letters[self.index(letters.len())]).collect()
    }

    /// Cuts, flips, doubles or adds bytes.
    pub(super) fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.index(bytes.len() + 1);
            match self.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.roll() as u8),
                2 => bytes.extend_from_within(at..),
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => bytes.push(self.roll() as u8),
            }
        }
    }
}
