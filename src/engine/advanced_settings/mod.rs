//! The advanced settings of jobs, pure.

mod catalog;
mod map;
mod meaning;
mod unknown_setting;
mod validate;
mod view;

pub use self::catalog::{SETTINGS, Setting, SettingKind, defaults};
pub use self::map::{InvalidSetting, complete, reduce};
pub use self::meaning::meaning;
pub use self::unknown_setting::unknown_settings;
pub use self::view::Settings;
