/** Registers <notif-page> and what it is made of; does so by being loaded. */

import { define } from "./define.js";
import { NotifInbox } from "./notif-inbox.js";
import { NotifPage } from "./notif-page.js";
import { NotifPreferences } from "./notif-preferences.js";

define("notif-inbox", NotifInbox);
define("notif-preferences", NotifPreferences);
define("notif-page", NotifPage);
