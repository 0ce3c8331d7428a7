"""Somebody without a mouse: what they press, tick, choose or fill they have come to by Tab."""

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.browser.person import Person

STOPS = 200  # more than any page has
IS_FOCUSED = "return document.activeElement === arguments[0]"
CHOSEN = "return arguments[0].selectedOptions[0].label"


class Typist(Person):
    """A person at the keyboard alone."""

    def _reach(self, element):
        """Tab until the element has the focus."""
        for _stop in range(STOPS):
            if self.chrome.execute_script(IS_FOCUSED, element):
                return
            self.key(Keys.TAB)
        raise AssertionError(f"Tab never comes to {element.get_dom_attribute('outerHTML') or element.text!r}")

    def _click(self, css):
        found = next((one for one in self.all(css) if one.is_displayed()), None)
        if found:
            self._reach(found)
            self.key(Keys.SPACE if found.tag_name == "input" else Keys.ENTER)
        return found

    def _press(self, words):
        found = [one for one in self.all("main button, main a, main summary") if words == one.text.strip()]
        for one in found[:1]:
            self._reach(one)
            self.key(Keys.ENTER)
        return bool(found)

    def fill(self, css, text):
        """Replace what a field holds."""
        self._reach(self.find(css))
        ActionChains(self.chrome).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(text).perform()

    def choose(self, css, words):
        """Choose in a list by the first letters of what it shows."""
        field = self.find(css)
        self._reach(field)
        if self.chrome.execute_script(CHOSEN, field) != words:
            self.key(words)
        self.until(lambda: self.chrome.execute_script(CHOSEN, field) == words)
