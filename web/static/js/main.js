// What every page runs. Each part looks for its own elements; without any script all forms and links still work.
import { keepTimes } from "./ago.js";
import { offerAppearance } from "./appearance.js";
import { offerCopies } from "./copy.js";
import { offerDialogs } from "./dialog.js";
import { follow } from "./live.js";
import { guardForms } from "./forms.js";
import { offerKeys } from "./keys.js";
import { offerPalette } from "./palette.js";

keepTimes();
offerAppearance();
offerCopies();
offerDialogs();
guardForms();
offerPalette();
offerKeys();
follow();
