//! The words of accounts' names, by which accounts and their orders are found.

use store::{Needs, Rows};
use types::{AccountId, Fault, text::search_words};

store::record! {
    /// A word of an account's name; empty when the name has fewer words than it had.
    pub(crate) struct AccountWord in "account_words" key (account_id: AccountId, position: i64) {
        /// In small letters, as bytes.
        word: Vec<u8>,
    }
}

/// The most words of a name that are kept.
const MAX_WORDS: usize = 20;

impl AccountWord {
    /// Keeps the words of a new account's name, each once.
    pub(super) fn keep(account_id: &AccountId, name: &str, rows: &mut Rows) {
        Self::write(account_id, words(name), &[], rows);
    }

    /// Asks for the words that are kept of an account.
    pub(super) fn needs(account_id: &AccountId, needs: &mut Needs) {
        needs.under::<Self>(account_id);
    }

    /// Keeps the words of a name instead of those that were kept.
    pub(super) fn replace(account_id: &AccountId, name: &str, rows: &mut Rows) -> Result<(), Fault> {
        let kept: Vec<Self> = rows.under::<Self>(account_id)?.into_iter().cloned().collect();
        Self::write(account_id, words(name), &kept, rows);
        Ok(())
    }

    fn write(account_id: &AccountId, mut words: Vec<Vec<u8>>, kept: &[Self], rows: &mut Rows) {
        words.resize(words.len().max(kept.len()), Vec::new());
        for (position, word) in (0_i64..).zip(words) {
            let known = kept.iter().find(|kept| kept.position == position);
            if known.is_none_or(|known| known.word != word) {
                let version = known.map_or(0, |known| known.version);
                rows.put(Self { account_id: account_id.clone(), position, word, version });
            }
        }
    }
}

fn words(name: &str) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    for word in search_words(name).map(String::into_bytes) {
        if words.len() < MAX_WORDS && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}
