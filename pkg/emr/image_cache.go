package emr

import "sync"

// Limits of what imageCache holds: about a quarter of a megabyte.
const (
	cachedImages      = 512
	cachedImageLength = 256
)

// imageCache holds images that were read already. A cluster runs few images in many
// pods, and reading a reference takes longer than all that is asked of it.
type imageCache struct {
	mu     sync.RWMutex
	images map[string]Image
}

var parsedImages imageCache

func (c *imageCache) get(reference string) (Image, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i, ok := c.images[reference]
	return i, ok
}

// put adds an image. When there is no room it starts anew: whoever names ever other
// images makes the cache useless, and nothing worse.
func (c *imageCache) put(reference string, i Image) {
	if len(reference) > cachedImageLength {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.images == nil || len(c.images) == cachedImages {
		c.images = make(map[string]Image, cachedImages)
	}
	c.images[reference] = i
}
