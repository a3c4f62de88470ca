//! Who may call what, and what of it they see: every method of the contracts, over the real stack.

mod attempts;
mod calls;
mod disclosure;
mod isolation;
mod parties;
mod table;
