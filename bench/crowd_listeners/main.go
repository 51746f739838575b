// Command crowd_listeners is many listeners in a LiveKit room, who choose languages at random.
//
// LiveKit's Go SDK keeps the sound that it receives as it came, while the one for Python decodes and
// plays it; so fifty listeners fit on a small machine. It reads a line of JSON, a Request, and answers
// with one: how many listeners came, Choices, or the Reception of each listener.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"time"

	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
)

const (
	listen    = "palabra.listen"
	pace      = time.Second
	inboxSize = 1 << 20
)

// Request says what the listeners are to do; one of its fields is there.
type Request struct {
	// Join names the server and has a token for each listener.
	Join *struct {
		URL    string   `json:"url"`
		Tokens []string `json:"tokens"`
	} `json:"join"`
	// Choose has each choose one of the languages once a second.
	Choose *struct {
		Seconds   float64  `json:"seconds"`
		Languages []string `json:"languages"`
	} `json:"choose"`
	// Record has each keep what it receives for so many seconds.
	Record *float64 `json:"record"`
}

// Choices are those of all listeners: asked of LiveKit, and taken by it.
type Choices struct {
	Asked int `json:"asked"`
	Taken int `json:"taken"`
}

// Reception is what one listener chose last, and the Opus packets of each stream that it receives.
type Reception struct {
	Chosen  string     `json:"chosen"`
	Streams [][][]byte `json:"streams"`
}

type listener struct {
	room *lksdk.Room

	lock      sync.Mutex
	chosen    string
	choices   Choices
	recording bool
	packets   map[webrtc.SSRC][][]byte
}

func join(url, token string) (*listener, error) {
	it := &listener{}
	callback := lksdk.NewRoomCallback()
	callback.OnAttributesChanged = it.onAttributes
	callback.OnTrackSubscribed = func(
		track *webrtc.TrackRemote, _ *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant,
	) {
		go it.receive(track)
	}
	room, err := lksdk.ConnectToRoomWithToken(url, token, callback)
	if err != nil {
		return nil, err
	}

	it.room = room
	return it, nil
}

func (it *listener) onAttributes(changed map[string]string, who lksdk.Participant) {
	language, is := changed[listen]
	if _, local := who.(*lksdk.LocalParticipant); !local || !is {
		return
	}

	it.lock.Lock()
	defer it.lock.Unlock()
	it.chosen = language
	// the token said the first
	if it.choices.Asked > 0 {
		it.choices.Taken++
	}
}

func (it *listener) receive(track *webrtc.TrackRemote) {
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}

		it.lock.Lock()
		if it.recording {
			stream := webrtc.SSRC(packet.SSRC)
			it.packets[stream] = append(it.packets[stream], packet.Payload)
		}
		it.lock.Unlock()
	}
}

// choose asks for a language once a second, always another one, so that LiveKit has something to tell.
func (it *listener) choose(languages []string, length time.Duration) {
	end := time.Now().Add(length)
	time.Sleep(time.Duration(rand.Float64() * float64(pace)))
	last := -1
	for time.Now().Before(end) {
		next := rand.Intn(len(languages))
		if next == last {
			next = (next + 1) % len(languages)
		}
		last = next

		it.lock.Lock()
		it.choices.Asked++
		it.lock.Unlock()
		it.room.LocalParticipant.SetAttributes(map[string]string{listen: languages[next]})
		time.Sleep(pace)
	}
}

func (it *listener) record(length time.Duration) Reception {
	it.lock.Lock()
	it.recording, it.packets = true, map[webrtc.SSRC][][]byte{}
	it.lock.Unlock()

	time.Sleep(length)

	it.lock.Lock()
	defer it.lock.Unlock()
	it.recording = false
	found := Reception{Chosen: it.chosen, Streams: [][][]byte{}}
	for _, packets := range it.packets {
		found.Streams = append(found.Streams, packets)
	}
	return found
}

type crowd []*listener

func (all crowd) each(do func(*listener)) {
	var group sync.WaitGroup
	for _, it := range all {
		group.Go(func() { do(it) })
	}
	group.Wait()
}

func (all *crowd) join(url string, tokens []string) error {
	for _, token := range tokens {
		it, err := join(url, token)
		if err != nil {
			return err
		}

		*all = append(*all, it)
	}
	return nil
}

func (all crowd) choices() Choices {
	var sum Choices
	for _, it := range all {
		it.lock.Lock()
		sum.Asked += it.choices.Asked
		sum.Taken += it.choices.Taken
		it.lock.Unlock()
	}
	return sum
}

func (all *crowd) answer(request Request) (any, error) {
	switch {
	case request.Join != nil:
		err := all.join(request.Join.URL, request.Join.Tokens)
		return len(*all), err

	case request.Choose != nil:
		all.each(func(it *listener) {
			it.choose(request.Choose.Languages, seconds(request.Choose.Seconds))
		})
		return all.choices(), nil

	case request.Record != nil:
		var lock sync.Mutex
		found := []Reception{}
		all.each(func(it *listener) {
			one := it.record(seconds(*request.Record))
			lock.Lock()
			defer lock.Unlock()
			found = append(found, one)
		})
		return found, nil
	}
	return nil, fmt.Errorf("a request without join, choose or record")
}

func seconds(count float64) time.Duration { return time.Duration(count * float64(time.Second)) }

func run() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, inboxSize)
	answers := json.NewEncoder(os.Stdout)
	var all crowd
	defer func() {
		all.each(func(it *listener) { it.room.Disconnect() })
	}()
	for lines.Scan() {
		var request Request
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return err
		}

		answer, err := all.answer(request)
		if err != nil {
			return err
		}

		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	lksdk.SetLogger(logger.GetDiscardLogger())
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crowd_listeners:", err)
		os.Exit(1)
	}
}
