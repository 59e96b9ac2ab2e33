//! What the schedules of an organization will do, pure: from planned times, and from how long each job usually takes.

mod forecast_job;
mod outlook;
mod peaks;
mod plan_ahead;
mod slot_queue;

pub use self::forecast_job::ForecastJob;
pub use self::outlook::{CloseToLimit, Forecast, Overlap, forecast};
pub use self::peaks::Peak;
