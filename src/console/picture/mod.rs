//! Pictures of runs, pure: each is an SVG with a label, and has a table with the same facts. Colors are classes of the style sheet, and
//! each outcome has a shape of its own. Nothing has a style attribute, which the content security policy forbids.

pub mod durations;
pub mod lane;
mod scale;
pub mod shade;
pub mod stage_columns;
pub mod strip;
pub mod ticks;
pub mod timeline;
mod timeline_bars;

pub use self::shade::Shade;
