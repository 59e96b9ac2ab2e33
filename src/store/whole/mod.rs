//! Whole tables, as the database itself describes them: every row of every table can be read and stored again, in a database of
//! either kind. A new table takes part by itself.

mod bulk_load;
mod insert_rows;
mod read_rows;
mod table_list;
mod value;

pub use self::bulk_load::{begin_load, end_load};
pub use self::insert_rows::Insert;
pub use self::read_rows::read_rows;
pub use self::table_list::{count_migrations, tables, tables_with_rows};
pub use self::value::{Column, Kind, Table, Value};
