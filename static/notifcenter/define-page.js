/** Registers all our elements at once, for trees into which define.js does not see; does so by being loaded. */

import { define } from "./define.js";
import { NotifInbox } from "./notif-inbox.js";
import { NotifJobEvents } from "./notif-job-events.js";
import { NotifPage } from "./notif-page.js";
import { NotifPreferences } from "./notif-preferences.js";
import { NotifToasts } from "./notif-toasts.js";

define("notif-toasts", NotifToasts);
define("notif-inbox", NotifInbox);
define("notif-preferences", NotifPreferences);
define("notif-job-events", NotifJobEvents);
define("notif-page", NotifPage);
